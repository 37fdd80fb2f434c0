// The camera of this machine: for one photograph, or mapped as it happens.
import { failure } from "./words.js";

// What a camera's frames are scaled to: more than the network sees, and little to send.
const LIVE_PX = 640;
const RATE_OVER = 30; // frames

const REASONS = { NotAllowedError: "notAllowed", NotFoundError: "noneFound", NotReadableError: "inUse", OverconstrainedError: "noneFound" };

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A stream of the camera; a browser offers one to pages of this machine and of https alone. */
async function opened(width) {
  if (!navigator.mediaDevices) throw Object.assign(failure("noSecure"), { ofCamera: true });
  const wish = { video: { facingMode: "environment", width: { ideal: width } } };
  return navigator.mediaDevices.getUserMedia(wish).catch((error) => {
    // Browsers say it in their own words.
    throw Object.assign(error.name in REASONS ? failure(REASONS[error.name]) : error, { ofCamera: true });
  });
}

async function play(video, stream) {
  video.srcObject = stream;
  await video.play();
}

function close(video) {
  video.srcObject?.getTracks().forEach((track) => track.stop());
  video.srcObject = null;
}

async function photograph(source) {
  const blob = await new Promise((resolve) => source.toBlob(resolve, "image/jpeg", 0.95));
  return new File([blob], "photograph.jpg", { type: "image/jpeg" });
}

/** Takes one photograph. */
export class Finder {
  /** @param on { taken(file), failed(error) } */
  constructor(root, on) {
    this.root = root;
    this.on = on;
    this.video = root.querySelector("video");
  }

  async open() {
    try {
      await play(this.video, await opened(1280));
      this.root.hidden = false;
    } catch (error) {
      this.on.failed(error);
    }
  }

  async shoot() {
    const { videoWidth: width, videoHeight: height } = this.video;
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    canvas.getContext("2d").drawImage(this.video, 0, 0);
    this.close();
    this.on.taken(await photograph(canvas));
  }

  close() {
    close(this.video);
    this.root.hidden = true;
  }
}

/** Shows the camera and its depth, the newest picture always: the next is taken when the map of the last is there. */
export class Live {
  /**
   * @param photo, map the canvases. mapped(canvas, camera, signal) gives what is to be drawn as the map.
   * @param on { begun(), ended(), shown(figures), failed(error), shape(width, height) }
   */
  constructor(photo, map, mapped, on) {
    Object.assign(this, { photo, map, mapped, on, running: null });
    this.video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
    this.grab = document.createElement("canvas");
  }

  async start() {
    if (this.running) return;
    const running = (this.running = new AbortController());
    try {
      const stream = await opened(LIVE_PX);
      if (running.signal.aborted) {
        stream.getTracks().forEach((track) => track.stop());
        return;
      }
      await play(this.video, stream);
      this.on.begun();
      await this.loop(running.signal);
    } catch (error) {
      if (!running.signal.aborted) this.on.failed(error);
    }
    if (this.running === running) this.stop();
  }

  stop() {
    if (!this.running) return;
    this.running.abort();
    this.running = null;
    close(this.video);
    this.on.ended();
  }

  async loop(signal) {
    const camera = newName();
    const times = [];
    while (!signal.aborted) {
      this.take();
      const begun = performance.now();
      let colours;
      try {
        colours = await this.mapped(this.grab, camera, signal);
      } catch (error) {
        if (signal.aborted || !error.retryAfter) throw error;
        this.on.shown({ wait: error.retryAfter }); // the server has other things to do
        await pause(1000 * error.retryAfter);
        continue;
      }
      if (signal.aborted) return;
      this.draw(colours);
      const now = performance.now();
      times.push(now);
      if (times.length > RATE_OVER) times.shift();
      const rate = times.length > 1 ? (1000 * (times.length - 1)) / (now - times[0]) : 0;
      this.on.shown({ rate, age: now - begun });
      await new Promise(requestAnimationFrame);
    }
  }

  take() {
    const { videoWidth, videoHeight } = this.video;
    const scale = Math.min(1, LIVE_PX / Math.max(videoWidth, videoHeight));
    const [width, height] = [videoWidth, videoHeight].map((side) => Math.max(1, Math.round(scale * side)));
    if (this.grab.width !== width || this.grab.height !== height) Object.assign(this.grab, { width, height });
    this.grab.getContext("2d", { willReadFrequently: true }).drawImage(this.video, 0, 0, width, height);
  }

  /** The picture and its map together, so that they fit. */
  draw(colours) {
    const { width, height } = this.grab;
    for (const [canvas, content] of [[this.photo, this.grab], [this.map, colours]]) {
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      canvas.getContext("2d").drawImage(content, 0, 0, width, height);
    }
    this.on.shape(width, height);
  }

  /** The picture that is shown, as a file. */
  keep() {
    return photograph(this.photo);
  }
}

function newName() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
