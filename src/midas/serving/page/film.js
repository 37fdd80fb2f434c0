// Films: sent with progress, watched while they are mapped, shown when they are done.
import { hasWord, word } from "./words.js";

const EVERY_MS = 700;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class FilmTool {
  /** @param root the section of the page; server: { send, state, preview, result, remove } of source.js. */
  constructor(root, server, forms) {
    this.server = server;
    this.part = (name) => root.querySelector(`.film-${name}`);
    this.name = null;
    this.sending = null;
    this.takes = forms.length > 0;
    this.part("form").replaceChildren(...forms.map((form) => new Option(form, form)));
    this.showForms();
    this.part("file").addEventListener("change", (event) => {
      const [file] = event.target.files;
      event.target.value = "";
      if (file) this.map(file);
    });
    this.part("stop").addEventListener("click", () => this.stop());
    // Who closes the page doesn't want the film any more.
    addEventListener("pagehide", () => this.name && this.server.remove(this.name));
  }

  showForms() {
    for (const option of this.part("form").options) {
      option.textContent = hasWord(`film-${option.value}`) ? word(`film-${option.value}`) : option.value;
    }
  }

  say(name, parts = {}, bad = false) {
    this.said = [name, parts, bad];
    this.part("bar").hidden = bad; // what failed doesn't go on
    this.part("status").textContent = word(name, parts);
    this.part("status").classList.toggle("bad", bad);
  }

  /** The page speaks another language now. */
  sayAgain() {
    this.showForms();
    if (this.said) this.say(...this.said);
  }

  async map(file) {
    await this.stop();
    this.part("work").hidden = false;
    this.part("player").hidden = this.part("save").hidden = this.part("preview").hidden = true;
    this.part("stop").hidden = false;
    const sending = (this.sending = new AbortController());
    try {
      const job = await this.server.send(file, this.part("form").value, (share) => {
        this.part("bar").value = share;
        this.say("sending", { percent: Math.round(100 * share) });
      }, sending.signal);
      this.name = job.id;
      await this.watch(job.id, file.name);
    } catch (error) {
      if (error.name !== "AbortError") this.say("failed", { why: error }, true);
    }
    if (this.sending === sending) this.part("stop").hidden = true;
  }

  async watch(name, title) {
    for (;;) {
      const job = await this.server.state(name);
      if (this.name !== name) return;
      if (job.total) this.part("bar").value = Math.min(1, job.frames / job.total);
      else this.part("bar").removeAttribute("value");
      if (job.state === "failed") {
        this.name = null;
        await this.server.remove(name);
        throw Object.assign(new Error(job.problem), { kind: "film" });
      }
      if (job.state === "done") break;
      if (job.state === "waiting") this.say("filmWaits");
      else this.say("mapping", { frames: job.frames, total: job.total ?? "?" });
      if (job.frames) await this.show(this.part("preview"), this.server.preview(name));
      await pause(EVERY_MS);
    }
    const url = await this.show(this.part("player"), this.server.result(name));
    this.part("preview").hidden = true;
    this.part("bar").value = 1;
    const save = this.part("save");
    Object.assign(save, { href: url, download: `${title.replace(/\.[^.]*$/, "")}_depth.mp4`, hidden: false });
    this.say("filmDone", { name: title });
    this.name = null;
    await this.server.remove(name); // the browser has it
  }

  async show(element, coming) {
    const url = URL.createObjectURL(await coming);
    if (element.src.startsWith("blob:")) URL.revokeObjectURL(element.src);
    element.src = url;
    element.hidden = false;
    return url;
  }

  async stop() {
    const name = this.name;
    this.name = null;
    this.sending?.abort();
    if (this.part("work").hidden || this.part("stop").hidden) return;
    this.part("stop").hidden = true;
    this.say("stopped");
    if (name) await this.server.remove(name);
  }
}
