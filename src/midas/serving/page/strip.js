// The pictures, small, in a row: one is shown, each can be removed.
import { word } from "./words.js";

const [WIDTH, HEIGHT] = [144, 108];

/** Fill the list. @param on { show(picture), remove(picture) } */
export function showStrip(list, pictures, current, on) {
  const focused = document.activeElement;
  const place = [...list.children].findIndex((item) => item.contains(focused));
  list.replaceChildren(...pictures.map((picture) => {
    const shown = document.createElement("button");
    shown.type = "button";
    shown.className = "thumb";
    shown.setAttribute("aria-pressed", String(picture === current));
    picture.thumb ??= thumbnail(picture.photo);
    shown.append(Object.assign(new Image(), { src: picture.thumb, alt: picture.name }));
    shown.addEventListener("click", () => on.show(picture));
    shown.addEventListener("keydown", (event) => event.key === "Delete" && on.remove(picture));
    const away = Object.assign(document.createElement("button"), { type: "button", className: "away", textContent: "×" });
    away.setAttribute("aria-label", word("remove", { name: picture.name }));
    away.addEventListener("click", () => on.remove(picture));
    const item = document.createElement("li");
    item.append(shown, away);
    return item;
  }));
  // Who came by key stays where they were, though the buttons are new ones.
  if (place >= 0) list.children[Math.min(place, pictures.length - 1)]?.querySelector(`.${focused.className}`).focus();
}

function thumbnail(photo) {
  const canvas = Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
  const scale = Math.max(WIDTH / photo.width, HEIGHT / photo.height);
  const [width, height] = [photo.width * scale, photo.height * scale];
  canvas.getContext("2d").drawImage(photo, (WIDTH - width) / 2, (HEIGHT - height) / 2, width, height);
  return canvas.toDataURL("image/jpeg", 0.8);
}
