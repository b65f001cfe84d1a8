// Words of the page in English and Chinese.
const WORDS = {
  en: {
    skip: "Skip to the content", views: "Views", tabSearch: "Search", tabPicture: "One picture",
    theme: "Light or dark", other: "中文",
    searchTitle: "Find pictures by what is in them", searchPlaceholder: "a red heart, two people laughing…",
    searchLabel: "What to look for", searchPicture: "Search with a picture", searchButton: "Search",
    onlyClose: "Only close matches", hideCopies: "Hide near-copies", results: "Results",
    found: n => n === 1 ? "1 picture" : `${n} pictures`, nothing: "Nothing close enough. Allow more with “Only close matches” off.",
    indexed: n => `${n.toLocaleString("en")} pictures to search`,
    noIndex: "This server has no index to search. Make one and start again:",
    pictureTitle: "Look at one picture", pictureIntro: "Your picture goes to this server only, and is not kept.",
    dropTitle: "Drop a picture here", dropHint: "or click, or paste one", otherPicture: "Another picture",
    dropAnywhere: "Drop the picture to use it", task: "What to do",
    taskClassify: "Name it", taskDetect: "Find things", taskExplain: "Show where",
    goClassify: "Name it", goDetect: "Find them", goExplain: "Show where",
    labels: "Labels, separated by commas", labelsPlaceholder: "a cat, a dog, an umbrella",
    explainLabel: "What to show", explainPlaceholder: "a cat",
    hintClassify: "Leave it empty for the model’s own words.", hintDetect: "A box for each thing that is found.",
    hintExplain: "Warm colours speak for these words.",
    needLabels: "Write at least one label.", noBoxes: "None of these was found.",
    moreLikeThis: "More like this", lessLikeThis: "Less like this", lookCloser: "Look closer", close: "Close",
    remove: "Remove", score: "Similarity", copies: "Near-copies", path: "File", missing: "The file is gone",
    keyTitle: "This server asks for a key", keyLabel: "API key", keyButton: "Go on", keyWrong: "This key is not known here.",
    offline: "The server does not answer. Is it running?", busy: "The server is busy. Try again in a moment.",
    loading: "The model is being loaded…", retry: "Try again", notPicture: "This file is no picture that can be read (JPEG, PNG, WebP, GIF, BMP).",
    tooLarge: "The picture has more than 10 MB.", missingFeature: "This server cannot do that.",
  },
  zh: {
    skip: "跳到内容", views: "视图", tabSearch: "搜索", tabPicture: "单张图片",
    theme: "浅色或深色", other: "English",
    searchTitle: "用文字或图片找图", searchPlaceholder: "红色的心，一杯热饮……",
    searchLabel: "要找什么", searchPicture: "以图搜图", searchButton: "搜索",
    onlyClose: "只看接近的", hideCopies: "隐藏近似图", results: "结果",
    found: n => `${n} 张图片`, nothing: "没有足够接近的图片。可以关闭“只看接近的”。",
    indexed: n => `可搜索 ${n.toLocaleString("zh")} 张图片`,
    noIndex: "这台服务器没有可搜索的索引。请先建立索引，再启动：",
    pictureTitle: "看一张图片", pictureIntro: "图片只发送到这台服务器，不会保存。",
    dropTitle: "把图片拖到这里", dropHint: "也可以点击或粘贴", otherPicture: "换一张",
    dropAnywhere: "松开鼠标，使用这张图片", task: "要做什么",
    taskClassify: "这是什么", taskDetect: "找东西", taskExplain: "看位置",
    goClassify: "这是什么", goDetect: "找出来", goExplain: "看位置",
    labels: "标签，用逗号分隔", labelsPlaceholder: "猫，狗，雨伞",
    explainLabel: "要看什么", explainPlaceholder: "猫",
    hintClassify: "留空则使用模型自带的词。", hintDetect: "找到的每个物体画一个框。",
    hintExplain: "暖色表示与这些词最相关的地方。",
    needLabels: "请至少写一个标签。", noBoxes: "没有找到这些东西。",
    moreLikeThis: "更多类似", lessLikeThis: "少些类似", lookCloser: "仔细看", close: "关闭",
    remove: "移除", score: "相似度", copies: "近似图", path: "文件", missing: "文件已不在",
    keyTitle: "这台服务器需要密钥", keyLabel: "API 密钥", keyButton: "继续", keyWrong: "密钥不对。",
    offline: "服务器没有回应。它在运行吗？", busy: "服务器正忙，请稍后再试。",
    loading: "正在加载模型……", retry: "重试", notPicture: "无法读取这个文件（支持 JPEG、PNG、WebP、GIF、BMP）。",
    tooLarge: "图片超过 10 MB。", missingFeature: "这台服务器没有这个功能。",
  },
};

const listeners = [];
let current = stored() || (navigator.language || "en").toLowerCase().startsWith("zh") && "zh" || "en";

function stored() {
  try {
    const kept = localStorage.getItem("language");
    return kept in WORDS ? kept : "";
  } catch {
    return "";  // storage may be forbidden
  }
}

export const language = () => current;

export function t(key, ...values) {
  const word = WORDS[current][key];
  return typeof word === "function" ? word(...values) : word;
}

/// Called now and after each change of the language.
export function onLanguage(listener) {
  listeners.push(listener);
  listener();
}

export function setLanguage(name) {
  current = name;
  try {
    localStorage.setItem("language", name);
  } catch { /* for this visit only */ }
  applyWords();
  for (const listener of listeners) listener();
}

export function applyWords(root = document) {
  document.documentElement.lang = current === "zh" ? "zh-CN" : "en";
  for (const e of root.querySelectorAll("[data-i18n]")) e.textContent = t(e.dataset.i18n);
  for (const e of root.querySelectorAll("[data-i18n-placeholder]")) e.placeholder = t(e.dataset.i18nPlaceholder);
  for (const e of root.querySelectorAll("[data-i18n-label]")) e.setAttribute("aria-label", t(e.dataset.i18nLabel));
  for (const e of root.querySelectorAll("[data-i18n-title]")) e.title = t(e.dataset.i18nTitle);
}
