// Requests to the server: the key, retries while the model is loaded, errors as words.
import { t } from "./i18n.js";

const MAX_PICTURE_BYTES = 10 << 20;
const LOADING_TRIES = 60;

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let key = sessionStorage.getItem("key") || "";

function askForKey(wrong) {
  const dialog = document.getElementById("key-dialog");
  const input = document.getElementById("key");
  input.value = "";
  input.setCustomValidity("");
  if (wrong) input.placeholder = t("keyWrong");
  if (!dialog.open) dialog.showModal();
  return new Promise(resolve => dialog.addEventListener("close", () => {
    key = input.value;
    sessionStorage.setItem("key", key);
    resolve(key !== "");
  }, { once: true }));
}

async function send(path, options) {
  const headers = { ...options.headers };
  if (key) headers.Authorization = `Bearer ${key}`;
  try {
    return await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, t("offline"));
  }
}

async function problemOf(response) {
  if (response.status === 429) return t("busy");
  if (response.status === 404 || response.status === 501) {
    const text = await messageOf(response);
    return text || t("missingFeature");
  }
  return await messageOf(response) || t("busy");
}

async function messageOf(response) {
  try {
    return (await response.json()).error.message;
  } catch {
    return "";
  }
}

const pause = seconds => new Promise(resolve => setTimeout(resolve, 1000 * seconds));

/// The response of a request that succeeded. Throws: ApiError.
export async function request(path, options = {}) {
  for (let tries = 0; ; ++tries) {
    const response = await send(path, options);
    if (response.ok) return response;
    if (response.status === 401) {
      if (await askForKey(key !== "")) continue;
      throw new ApiError(401, t("keyTitle"));
    }
    if (response.status === 503 && tries < LOADING_TRIES && (await response.clone().text()).includes("loaded")) {
      await pause(Number(response.headers.get("Retry-After")) || 1);
      continue;
    }
    throw new ApiError(response.status, await problemOf(response));
  }
}

export const getJson = async path => (await request(path)).json();

export async function postJson(path, body, signal) {
  const response = await request(path, {
    method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" }, signal,
  });
  return response.json();
}

/// A URL for <img>: with a key the picture has to be fetched, since <img> cannot send one.
export async function pictureUrl(path) {
  if (!key) return path;
  return URL.createObjectURL(await (await request(path)).blob());
}

/// A picture file as a data: URL. Throws: ApiError for what is no picture, or is too large.
export function readPicture(file) {
  if (file.size > MAX_PICTURE_BYTES) throw new ApiError(413, t("tooLarge"));
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new ApiError(400, t("notPicture")));
    reader.readAsDataURL(file);
  });
}

/// Shows a problem in a notice, with a button to try again where that may help.
export function showProblem(notice, error, retry) {
  if (error.name === "AbortError") return;
  notice.textContent = error.message;
  notice.classList.remove("calm");
  if (retry && (error.status === 0 || error.status === 429 || error.status >= 500)) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = t("retry");
    button.addEventListener("click", retry);
    notice.append(button);
  }
  notice.hidden = false;
}
