// Search by words, pictures and items of the index; the state is in the address.
import { getJson, pictureUrl, postJson, readPicture, showProblem } from "./api.js";
import { onLanguage, t } from "./i18n.js";
import { Detail } from "./detail.js";
import { Grid } from "./grid.js";

const PAGE = 60;
const MOST = 3000;
const CLOSE_MATCHES = 0.8;  // of the best one's similarity
const NEAR_COPY = 0.95;

const byId = id => document.getElementById(id);

export class Search {
  constructor({ lookCloser }) {
    this.available = false;
    this.likes = [];
    this.dislikes = [];
    this.picture = null;  // data: URL
    this.detail = new Detail({
      more: hit => this.like(hit.id), less: hit => this.dislike(hit.id), look: hit => lookCloser(hit.picture),
    });
    this.grid = new Grid(byId("grid"), {
      open: hit => this.detail.open(hit), more: hit => this.like(hit.id),
    });
    byId("search-form").addEventListener("submit", e => { e.preventDefault(); this.go(); });
    byId("query-file").addEventListener("change", e => {
      if (e.target.files[0]) this.addPicture(e.target.files[0]);
      e.target.value = "";
    });
    for (const id of ["cut", "fold"]) byId(id).addEventListener("change", () => this.go());
    new IntersectionObserver(entries => { if (entries[0].isIntersecting) this.next(); }, { rootMargin: "800px" })
      .observe(byId("sentinel"));
    onLanguage(() => this.describe());
  }

  /// Asks whether there is an index.
  async open() {
    try {
      this.index = (await getJson("/indices")).indices[0];
      this.available = Boolean(this.index);
    } catch (error) {
      showProblem(byId("search-problem"), error, () => location.reload());
      this.failed = true;
    }
    this.opened = true;
    this.describe();
  }

  /// Takes over the state of the address.
  show(params) {
    byId("query").value = params.get("q") || "";
    this.likes = numbers(params.get("like"));
    this.dislikes = numbers(params.get("dislike"));
    byId("cut").checked = params.has("close");
    byId("fold").checked = params.has("fold");
    if (!params.has("image")) this.picture = null;
    this.run();
  }

  like(id) {
    this.likes = [...new Set([id])];
    this.dislikes = [];
    this.picture = null;
    byId("query").value = "";
    this.go();
    scrollTo({ top: 0 });
  }

  dislike(id) {
    this.dislikes = [...new Set([...this.dislikes, id])];
    this.go();
  }

  async addPicture(file) {
    try {
      this.picture = await readPicture(file);
      this.likes = [];
      this.dislikes = [];
      byId("query").value = "";
      this.go();
    } catch (error) {
      showProblem(byId("search-problem"), error);
    }
  }

  /// Puts the state into the address, which runs the search.
  go() {
    const params = new URLSearchParams();
    const text = byId("query").value.trim();
    if (text) params.set("q", text);
    if (this.picture) params.set("image", "");
    if (this.likes.length > 0) params.set("like", this.likes.join(","));
    if (this.dislikes.length > 0) params.set("dislike", this.dislikes.join(","));
    if (byId("cut").checked) params.set("close", "");
    if (byId("fold").checked) params.set("fold", "");
    const hash = params.size > 0 ? `#/search?${params}` : "#/search";
    if (location.hash === hash) this.run();
    else location.hash = hash;
  }

  request() {
    const text = byId("query").value.trim();
    const body = {};
    if (text) body.text = text;
    if (this.picture) body.image = this.picture;
    if (this.likes.length > 0) body.like = this.likes;
    if (this.dislikes.length > 0) body.dislike = this.dislikes;
    if (byId("cut").checked) body.relative_cut = CLOSE_MATCHES;
    if (byId("fold").checked) body.fold = NEAR_COPY;
    return body;
  }

  run() {
    this.abort?.abort();
    this.abort = new AbortController();
    this.showChips();
    this.asked = this.request();
    const empty = !this.asked.text && !this.asked.image && !this.asked.like && !this.asked.dislike;
    byId("search").classList.toggle("searched", !empty);
    this.count = 0;
    this.last = 0;
    this.complete = !this.available;
    this.searching = false;
    this.browsing = empty;
    if (!this.failed) byId("search-problem").hidden = true;
    this.grid.clear();
    this.describe();
    if (this.available) this.next();
  }

  async next() {
    if (this.complete || this.searching || !this.asked) return;
    this.searching = true;
    const abort = this.abort;
    if (this.count === 0) this.grid.wait();
    try {
      const body = { ...this.asked, k: PAGE, offset: this.count };
      const answer = this.browsing ? await getJson(`/items?after=${this.last}&k=${PAGE}`)
                                   : await postJson("/search", body, abort.signal);
      if (abort !== this.abort) return;
      const found = answer.items || answer.hits;
      if (this.count === 0) this.grid.clear();
      this.grid.add(found, this.browsing);
      this.count += found.length;
      this.last = answer.next;
      this.complete = found.length < PAGE || this.count >= MOST;
      this.searching = false;
      this.describe();
      // A short page on a tall screen: the sentinel did not move, so nobody will ask again.
      if (!this.complete && byId("sentinel").getBoundingClientRect().top < innerHeight + 800) this.next();
    } catch (error) {
      if (abort !== this.abort) return;
      this.searching = false;
      this.complete = true;
      this.grid.stopWaiting();
      showProblem(byId("search-problem"), error, () => this.run());
    }
  }

  describe() {
    const notice = byId("search-problem");
    if (!this.available && !this.failed && this.opened) {
      notice.textContent = t("noIndex") + " ";
      const code = document.createElement("code");
      code.textContent = "openclip index FOLDER --out my.index && openclip serve --index my.index";
      notice.append(code);
      notice.classList.add("calm");
      notice.hidden = false;
    }
    let summary = "";
    if (this.available && this.browsing) summary = t("indexed", this.index.size);
    else if (this.available && this.complete) summary = this.count > 0 ? t("found", this.count) : t("nothing");
    byId("summary").textContent = summary;
    this.grid?.relabel();
  }

  showChips() {
    const chips = byId("chips");
    chips.textContent = "";
    const add = (source, away, remove) => {
      const chip = document.createElement("span");
      chip.className = away ? "chip away" : "chip";
      const image = new Image();
      image.alt = t(away ? "lessLikeThis" : "moreLikeThis");
      Promise.resolve(source).then(url => { image.src = url; }).catch(() => {});
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "×";
      button.setAttribute("aria-label", t("remove"));
      button.addEventListener("click", () => { remove(); this.go(); byId("query").focus(); });
      chip.append(image, button);
      chips.append(chip);
    };
    if (this.picture) add(this.picture, false, () => { this.picture = null; });
    for (const id of this.likes)
      add(pictureUrl(`/pictures/${id}?size=96`), false, () => { this.likes = this.likes.filter(i => i !== id); });
    for (const id of this.dislikes)
      add(pictureUrl(`/pictures/${id}?size=96`), true, () => { this.dislikes = this.dislikes.filter(i => i !== id); });
  }
}

function numbers(text) {
  return (text || "").split(",").filter(part => /^\d+$/.test(part)).map(Number);
}
