// The grid of results: pictures that load when they come near, arrows move between them.
import { pictureUrl } from "./api.js";
import { t } from "./i18n.js";

// Two sheets, one behind the other: what is alike.
function icon() {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", "M9 9h11v11H9zM5 15H4V4h11v1");
  svg.append(path);
  return svg;
}

const THUMBNAIL = 360;
const WAITING_TILES = 12;

export class Grid {
  constructor(list, { open, more }) {
    this.list = list;
    this.handlers = { open, more };
    this.seen = new IntersectionObserver(entries => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        this.seen.unobserve(entry.target);
        this.load(entry.target);
      }
    }, { rootMargin: "600px" });
    list.addEventListener("keydown", e => this.move(e));
  }

  clear() {
    this.seen.disconnect();
    this.list.textContent = "";
  }

  wait() {
    this.list.setAttribute("aria-busy", "true");
    for (let i = 0; i < WAITING_TILES; ++i) {
      const cell = document.createElement("li");
      cell.className = "skeleton";
      this.list.append(cell);
    }
  }

  stopWaiting() {
    this.list.removeAttribute("aria-busy");
    for (const cell of this.list.querySelectorAll(".skeleton")) cell.remove();
  }

  add(hits, browsing) {
    this.stopWaiting();
    for (const hit of hits) this.list.append(this.cell(hit, browsing));
  }

  relabel() {
    for (const button of this.list.querySelectorAll(".more")) this.label(button);
  }

  label(button) {
    button.lastChild.textContent = t("moreLikeThis");
    button.setAttribute("aria-label", t("moreLikeThis"));
  }

  cell(hit, browsing) {
    const cell = document.createElement("li");
    cell.className = "cell";
    const tile = document.createElement("button");
    tile.type = "button";
    tile.className = "tile";
    const frame = document.createElement("span");
    frame.className = "frame";
    frame.hit = hit;
    const caption = document.createElement("span");
    caption.className = "caption";
    const name = document.createElement("span");
    name.className = "name";
    name.textContent = hit.title || hit.path.split("/").pop();
    name.title = hit.path;
    caption.append(name);
    if (!browsing) {
      const score = document.createElement("span");
      score.className = "score";
      score.textContent = hit.score.toFixed(2) + (hit.folded.length > 0 ? ` +${hit.folded.length}` : "");
      caption.append(score);
    }
    tile.append(frame, caption);
    tile.addEventListener("click", () => this.handlers.open(hit));
    const more = document.createElement("button");
    more.type = "button";
    more.className = "more";
    more.append(icon(), document.createElement("span"));
    this.label(more);
    more.addEventListener("click", () => this.handlers.more(hit));
    cell.append(tile, more);
    this.seen.observe(frame);
    return cell;
  }

  async load(frame) {
    const image = new Image();
    image.alt = frame.hit.title || frame.hit.path.split("/").pop();
    image.onload = () => image.classList.toggle("photo", Math.min(image.naturalWidth, image.naturalHeight) >= 300);
    image.onerror = () => {
      const text = document.createElement("span");
      text.className = "missing";
      text.textContent = t("missing");
      frame.replaceChildren(text);
    };
    frame.append(image);
    try {
      image.src = await pictureUrl(`${frame.hit.picture}?size=${THUMBNAIL}`);
    } catch {
      image.onerror();
    }
  }

  // Arrow keys, Home and End move the focus; "m" asks for more like the tile.
  move(event) {
    const tiles = [...this.list.querySelectorAll(".tile")];
    const at = tiles.indexOf(event.target);
    if (at < 0) return;
    if (event.key === "m") return tiles[at].parentElement.querySelector(".more").click();
    const columns = getComputedStyle(this.list).gridTemplateColumns.split(" ").length;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, Home: -at, End: tiles.length - 1 - at };
    if (!(event.key in steps)) return;
    event.preventDefault();
    tiles[Math.min(Math.max(at + steps[event.key], 0), tiles.length - 1)].focus();
  }
}
