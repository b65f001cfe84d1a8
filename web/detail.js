// One result, large, with what is known of it.
import { pictureUrl } from "./api.js";
import { t } from "./i18n.js";

const byId = id => document.getElementById(id);

export class Detail {
  constructor({ more, less, look }) {
    this.dialog = byId("detail");
    const act = action => { this.dialog.close(); action(this.hit); };
    byId("detail-more").addEventListener("click", () => act(more));
    byId("detail-less").addEventListener("click", () => act(less));
    byId("detail-look").addEventListener("click", () => act(look));
    this.dialog.addEventListener("click", e => { if (e.target === this.dialog) this.dialog.close(); });
  }

  async open(hit) {
    this.hit = hit;
    const name = hit.path.split("/").pop();
    byId("detail-title").textContent = hit.title || name;
    byId("detail-path").textContent = hit.path;
    const fields = byId("detail-fields");
    fields.textContent = "";
    const add = (term, text) => {
      const dt = document.createElement("dt");
      const dd = document.createElement("dd");
      dt.textContent = term;
      dd.textContent = text;
      fields.append(dt, dd);
    };
    if (hit.score !== undefined) add(t("score"), hit.score.toFixed(3));
    if (hit.folded?.length > 0) add(t("copies"), hit.folded.length);
    for (const [key, value] of Object.entries(hit.fields))
      add(key, typeof value === "object" ? JSON.stringify(value) : String(value));
    const image = byId("detail-image");
    image.alt = byId("detail-title").textContent;
    image.removeAttribute("src");
    this.dialog.showModal();
    try {
      image.src = await pictureUrl(hit.picture);
    } catch { /* the alternative text stands */ }
  }
}
