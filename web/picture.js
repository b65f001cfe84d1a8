// One picture: names for it, boxes in it, and where in it some words are.
import { pictureUrl, postJson, readPicture, request, showProblem, ApiError } from "./api.js";
import { onLanguage, t, language } from "./i18n.js";
import { drawScene } from "./scene.js";

const byId = id => document.getElementById(id);
const COLOURS = ["#4f46e5", "#d9480f", "#0b7285", "#c2255c", "#2b8a3e", "#9c36b5", "#e67700", "#1864ab"];
const MOST_ANSWERS = 12;

export class Picture {
  constructor() {
    this.scene = { image: null, boxes: [], heat: null, active: "" };
    byId("file").addEventListener("change", e => {
      if (e.target.files[0]) this.loadFile(e.target.files[0]);
      e.target.value = "";
    });
    byId("change").addEventListener("click", () => byId("file").click());
    byId("look").addEventListener("submit", e => { e.preventDefault(); this.run(); });
    byId("labels").addEventListener("keydown", e => {
      if (e.key === "Enter" && !e.shiftKey && !e.isComposing) { e.preventDefault(); this.run(); }
    });
    for (const radio of document.querySelectorAll("[name=task]"))
      radio.addEventListener("change", () => { this.clear(); this.describe(); });
    addEventListener("resize", () => this.draw());
    onLanguage(() => this.describe());
  }

  task() {
    return document.querySelector("[name=task]:checked").value;
  }

  describe() {
    const name = this.task()[0].toUpperCase() + this.task().slice(1);
    byId("go").textContent = t("go" + name);
    byId("labels-hint").textContent = t("hint" + name);
    byId("labels-label").textContent = t(this.task() === "explain" ? "explainLabel" : "labels");
    byId("labels").placeholder = t(this.task() === "explain" ? "explainPlaceholder" : "labelsPlaceholder");
  }

  async loadFile(file) {
    try {
      await this.show(await readPicture(file));
    } catch (error) {
      showProblem(byId("look-problem"), error);
    }
  }

  /// A picture of the index.
  async load(path) {
    try {
      const blob = await (await request(path)).blob();
      await this.loadFile(blob);
    } catch (error) {
      showProblem(byId("look-problem"), error);
    }
  }

  async show(url) {
    const image = new Image();
    image.src = url;
    try {
      await image.decode();
    } catch {
      throw new ApiError(400, t("notPicture"));
    }
    this.url = url;
    this.scene.image = image;
    byId("canvas").hidden = false;
    byId("drop").hidden = true;
    byId("change").hidden = false;
    byId("go").disabled = false;
    this.clear();
    if (this.task() === "classify") this.run();
  }

  clear() {
    Object.assign(this.scene, { boxes: [], heat: null, active: "" });
    byId("answers").textContent = "";
    byId("look-problem").hidden = true;
    this.draw();
  }

  draw() {
    if (this.scene.image) drawScene(byId("canvas"), byId("stage"), this.scene);
  }

  labels() {
    return [...new Set(byId("labels").value.split(/[,，\n]/).map(s => s.trim()).filter(s => s))];
  }

  async run() {
    if (!this.scene.image) return;
    this.clear();
    const task = this.task();
    const labels = this.labels();
    if (labels.length === 0 && task !== "classify")
      return showProblem(byId("look-problem"), new ApiError(400, t("needLabels")));
    this.abort?.abort();
    this.abort = new AbortController();
    byId("go").classList.add("busy");
    try {
      await this[task](labels, this.abort.signal);
    } catch (error) {
      showProblem(byId("look-problem"), error, () => this.run());
    }
    byId("go").classList.remove("busy");
  }

  async classify(labels, signal) {
    const body = { image: this.url, top: MOST_ANSWERS };
    if (labels.length > 0) body.labels = labels;
    else body.language = language();
    const answer = await postJson("/classify", body, signal);
    for (const { label, score } of answer.results[0].labels) this.answer(label, score, COLOURS[0], true);
  }

  async detect(labels, signal) {
    const answer = await postJson("/detect", { image: this.url, labels }, signal);
    this.scene.boxes = answer.detections.map(d => ({ ...d, colour: COLOURS[labels.indexOf(d.label) % COLOURS.length] }));
    if (answer.detections.length === 0) {
      const notice = byId("look-problem");
      notice.textContent = t("noBoxes");
      notice.classList.add("calm");
      notice.hidden = false;
    }
    for (const box of this.scene.boxes.slice(0, MOST_ANSWERS)) this.answer(box.label, box.score, box.colour, false, box);
    this.draw();
  }

  async explain(labels, signal) {
    const answer = await postJson("/explain", { image: this.url, text: labels.join(", ") }, signal);
    this.scene.heat = answer;
    this.draw();
  }

  answer(label, score, colour, bar, box) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    const dot = document.createElement("span");
    dot.className = "dot";
    dot.style.background = colour;
    const word = document.createElement("span");
    word.className = "word";
    word.textContent = label;
    const value = document.createElement("span");
    value.className = "value";
    value.textContent = `${(100 * score).toFixed(1)} %`;
    button.append(dot, word, value);
    if (bar) {
      const track = document.createElement("span");
      const fill = document.createElement("i");
      track.className = "track";
      fill.style.width = `${100 * score}%`;
      track.append(fill);
      button.append(track);
    }
    if (box) {
      const mark = on => { this.scene.active = on ? box : ""; this.draw(); };
      for (const name of ["pointerenter", "focus"]) button.addEventListener(name, () => mark(true));
      for (const name of ["pointerleave", "blur"]) button.addEventListener(name, () => mark(false));
    } else {
      // A name leads to where it is in the picture.
      button.addEventListener("click", () => {
        byId("labels").value = label;
        document.querySelector("[name=task][value=explain]").checked = true;
        this.describe();
        this.run();
      });
    }
    item.append(button);
    byId("answers").append(item);
  }
}
