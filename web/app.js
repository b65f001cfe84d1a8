// The page: views, language, theme, pictures that are dropped or pasted.
import { getJson } from "./api.js";
import { applyWords, language, onLanguage, setLanguage, t } from "./i18n.js";
import { Picture } from "./picture.js";
import { Search } from "./search.js";

const byId = id => document.getElementById(id);
const views = { search: byId("search"), picture: byId("picture") };

const picture = new Picture();
const search = new Search({ lookCloser: url => { location.hash = "#/picture"; picture.load(url); } });

function currentView() {
  return location.hash.startsWith("#/picture") ? "picture" : "search";
}

function showView() {
  const name = currentView();
  for (const [key, section] of Object.entries(views)) section.hidden = key !== name;
  for (const link of document.querySelectorAll(".tabs a")) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (name === "search") search.show(new URLSearchParams(location.hash.split("?")[1] || ""));
}

function theme() {
  let kept = "";
  try {
    kept = localStorage.getItem("theme") || "";
  } catch { /* storage may be forbidden */ }
  return kept || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
}

function useFile(file) {
  if (!file) return;
  if (currentView() === "search" && search.available) search.addPicture(file);
  else {
    location.hash = "#/picture";
    picture.loadFile(file);
  }
}

function fileOf(transfer) {
  return [...transfer.files].find(f => f.type.startsWith("image/")) || transfer.files[0];
}

function listenForPictures() {
  let depth = 0;  // dragenter and dragleave come for every element on the way
  const zone = byId("dropzone");
  const holdsFiles = e => [...e.dataTransfer.types].includes("Files");
  addEventListener("dragenter", e => { if (holdsFiles(e)) { ++depth; zone.hidden = false; } });
  addEventListener("dragleave", e => { if (holdsFiles(e) && --depth <= 0) { depth = 0; zone.hidden = true; } });
  addEventListener("dragover", e => { if (holdsFiles(e)) e.preventDefault(); });
  addEventListener("drop", e => {
    e.preventDefault();
    depth = 0;
    zone.hidden = true;
    useFile(fileOf(e.dataTransfer));
  });
  addEventListener("paste", e => { if (e.clipboardData.files.length > 0) useFile(fileOf(e.clipboardData)); });
}

setTheme(theme());
byId("theme").addEventListener("click", () => {
  const name = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  setTheme(name);
  try {
    localStorage.setItem("theme", name);
  } catch { /* for this visit only */ }
});
byId("language").addEventListener("click", () => setLanguage(language() === "en" ? "zh" : "en"));
onLanguage(() => {
  byId("language").textContent = t("other");
  byId("language").lang = language() === "en" ? "zh" : "en";
});
applyWords();
listenForPictures();
addEventListener("hashchange", showView);
addEventListener("keydown", e => {
  const typing = /^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName) || document.querySelector("dialog[open]");
  if (e.key === "/" && !typing && currentView() === "search") {
    e.preventDefault();
    byId("query").focus();
  }
});
await search.open();
if (!location.hash && !search.available) location.hash = "#/picture";
showView();
getJson("/v1/models").then(m => { byId("model").textContent = m.data[0].id; }).catch(() => {});
