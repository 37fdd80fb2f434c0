// Films: sent with progress, watched while they are mapped, shown when they are done.
import { word } from "./words.js";

const EVERY_MS = 700;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class FilmTool {
  /** @param root the section of the page; server: { send, state, preview, result, remove } of source.js. */
  constructor(root, server, forms) {
    this.server = server;
    this.part = (name) => root.querySelector(`.film-${name}`);
    this.name = null;
    this.part("form").replaceChildren(...forms.map((form) => new Option(form)));
    this.part("file").addEventListener("change", (event) => {
      const [file] = event.target.files;
      event.target.value = "";
      if (file) this.map(file);
    });
    this.part("stop").addEventListener("click", () => this.stop());
    root.hidden = !forms.length;
  }

  say(name, parts = {}, bad = false) {
    this.part("status").textContent = word(name, parts);
    this.part("status").classList.toggle("bad", bad);
  }

  async map(file) {
    await this.stop();
    this.part("work").hidden = false;
    this.part("player").hidden = this.part("save").hidden = true;
    this.part("stop").hidden = false;
    const bar = this.part("bar");
    try {
      const job = await this.server.send(file, this.part("form").value, (share) => {
        bar.value = share;
        this.say("sending", { percent: Math.round(100 * share) });
      });
      this.name = job.id;
      await this.watch(job.id, file.name);
    } catch (error) {
      this.say("failed", { why: error.message }, true);
    }
    this.part("stop").hidden = true;
  }

  async watch(name, title) {
    for (;;) {
      const job = await this.server.state(name);
      if (this.name !== name) return;
      if (job.total) this.part("bar").value = Math.min(1, job.frames / job.total);
      else this.part("bar").removeAttribute("value");
      if (job.state === "failed") throw new Error(job.problem);
      if (job.state === "done") break;
      this.say("mapping", { frames: job.frames, total: job.total ?? "?" });
      if (job.frames) await this.show(this.part("preview"), this.server.preview(name));
      await pause(EVERY_MS);
    }
    const url = await this.show(this.part("player"), this.server.result(name));
    this.part("preview").hidden = true;
    this.part("bar").value = 1;
    const save = this.part("save");
    Object.assign(save, { href: url, download: `${title.replace(/\.[^.]*$/, "")}_depth.mp4`, hidden: false });
    this.say("filmDone", { name: title });
    await this.server.remove(name); // the browser has it
    this.name = null;
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
    if (!name) return;
    await this.server.remove(name);
    this.say("stopped");
  }
}
