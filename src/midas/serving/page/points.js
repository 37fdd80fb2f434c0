// Metres: two points of the picture whose distances are known, chosen by pointer or by key, and marked where they are.
import { alignment } from "./colours.js";

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Points {
  /**
   * @param stage the element with the picture, as large as it, and the marks in it.
   * @param list the points with their buttons and distances.
   * @param on { pick, change, read }: called when a point is to be chosen, when metres change, with the pixel looked at.
   */
  constructor(stage, list, on) {
    Object.assign(this, { stage, on, map: null, spots: [null, null], picking: -1, cursor: null });
    this.buttons = [...list.querySelectorAll(".pick")];
    this.places = [...list.querySelectorAll(".place")];
    this.fields = [...list.querySelectorAll(".metres")];
    this.marks = [...stage.querySelectorAll(".mark:not(.cursor)")];
    this.cross = stage.querySelector(".cursor");
    this.buttons.forEach((button, index) => {
      button.addEventListener("click", () => this.pick(this.picking === index ? -1 : index));
      button.addEventListener("keydown", (event) => this.move(event, index));
    });
    this.fields.forEach((field) => field.addEventListener("input", on.change));
  }

  /** Begin anew with a map. */
  begin(map) {
    this.map = map;
    this.spots.fill(null);
    this.places.forEach((place) => (place.textContent = ""));
    this.pick(-1);
    this.show();
  }

  /** The pixel of the map below a pointer; null beside the picture. */
  under(event) {
    const box = this.stage.getBoundingClientRect();
    const { width, height } = this.map;
    const x = Math.floor(((event.clientX - box.left) / box.width) * width);
    const y = Math.floor(((event.clientY - box.top) / box.height) * height);
    return x >= 0 && y >= 0 && x < width && y < height ? { x, y } : null;
  }

  pick(index) {
    this.picking = index;
    this.buttons.forEach((button, each) => button.setAttribute("aria-pressed", String(each === index)));
    this.stage.classList.toggle("picking", index >= 0);
    this.cursor = index < 0 ? null : this.spots[index] ?? { x: this.map.width >> 1, y: this.map.height >> 1 };
    this.show();
    if (index >= 0) this.on.pick();
  }

  /** Take a pixel for the point that is being chosen; without one, nothing happens. */
  set(spot) {
    if (this.picking < 0) return;
    this.spots[this.picking] = spot;
    this.places[this.picking].textContent = `${spot.x}, ${spot.y}`;
    this.pick(-1);
    this.on.change();
  }

  move(event, index) {
    if (this.picking !== index) return;
    if (event.key === "Enter") this.set(this.cursor);
    else if (event.key === "Escape") this.pick(-1);
    else if (event.key in STEPS) {
      const pace = event.shiftKey ? 1 : 10;
      const [x, y] = [this.cursor.x, this.cursor.y].map((place, axis) => place + pace * STEPS[event.key][axis]);
      this.cursor = { x: Math.max(0, Math.min(this.map.width - 1, x)), y: Math.max(0, Math.min(this.map.height - 1, y)) };
      this.show();
      this.on.read(this.cursor);
    } else return;
    event.preventDefault();
  }

  show() {
    [...this.spots, this.cursor].forEach((spot, index) => {
      const mark = this.marks[index] ?? this.cross;
      mark.hidden = !spot;
      if (!spot) return;
      mark.style.left = `${(100 * (spot.x + 0.5)) / this.map.width}%`;
      mark.style.top = `${(100 * (spot.y + 0.5)) / this.map.height}%`;
    });
  }

  /** The two points with their distances; null unless both are there. */
  both() {
    const metres = this.fields.map((field) => Number(field.value));
    return this.spots.every(Boolean) && metres.every((each) => each > 0)
      ? this.spots.map((spot, index) => ({ ...spot, metres: metres[index] })) : null;
  }

  /** scale and shift that make metres of values; null where the points give none. */
  line() {
    const both = this.both();
    return both && alignment(this.map, both);
  }
}
