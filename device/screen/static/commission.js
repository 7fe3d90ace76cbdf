// Setting up the cameras: shows what the agent says four times a second, and sends what is tapped. It decides nothing.

import { Picture } from "./pictures.js";

const EVERY_MS = 250;
const SHEET_EVERY_MS = 2000;
const TOAST_MS = 6000;
const ARROWS = { left: "←", right: "→", up: "↑", down: "↓", clockwise: "↻", anticlockwise: "↺" };

const at = (id) => document.getElementById(id);
const desk = new Picture("overhead");
const front = new Picture("front");
let labels = null;
let toasting = 0;
let sheetAt = -Infinity;
let sheetUrl = null;
let hasBegun = false;

async function ask(body) {
  const told = body
    ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }
    : {};
  const answer = await fetch("/api/commission", told);
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error);
  return found;
}

async function act(body) {
  try {
    place(await ask(body));
  } catch (error) {
    toast(error.message);
  }
}

function toast(words) {
  at("toast").textContent = words;
  at("toast").hidden = false;
  clearTimeout(toasting);
  toasting = setTimeout(() => { at("toast").hidden = true; }, TOAST_MS);
}

function text(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

function place(view) {
  if (hasBegun && view.stage === "closed") {
    location.replace("/"); // a session began, or everything is kept
    return;
  }
  hasBegun ||= view.stage !== "closed";
  labels = view.labels;
  document.title = labels.title;
  document.body.dataset.stage = view.stage;
  text(at("headline"), view.title);
  text(at("do"), view.do);
  text(at("setup"), view.setup.words);
  text(at("close"), labels.close);
  placePictures(view);
  placeFigures(view);
  for (const keep of document.querySelectorAll(".keep")) keep.hidden = !view.may_confirm;
  at("exchange").hidden = !view.may_exchange;
  at("exchange").classList.toggle("wanted", view.advice === "swapped");
}

function placePictures(view) {
  const points = view.corners ?? [];
  const good = view.advice === null && ["learning", "ready", "done"].includes(view.stage);
  at("picture").toggleAttribute("data-good", good);
  at("mat").setAttribute("points", points.map((point) => point.join(",")).join(" "));
  at("top").setAttribute("points", points.slice(0, 2).map((point) => point.join(",")).join(" "));
  at("arrow").hidden = !view.arrow;
  text(at("arrow"), ARROWS[view.arrow] ?? "");
  const off = ["closed", "exchanging"].includes(view.stage);
  for (const [picture, role] of [[desk, "overhead"], [front, "front"]]) {
    picture.show({ show: !off, label: labels.cameras[role], lost: labels.cameras[role], note: "", bad: false });
  }
  placeSheet(view);
}

async function placeSheet(view) {
  const wanted = ["ready", "done"].includes(view.stage);
  at("sheet").hidden = !wanted;
  if (!wanted || performance.now() - sheetAt < SHEET_EVERY_MS) return;
  sheetAt = performance.now();
  const answer = await fetch("/api/cameras/overhead/worksheet.jpg");
  if (!answer.ok) return; // the next one comes in two seconds, and the advice says what is wrong
  const image = Object.assign(new Image(), { alt: "" });
  const url = URL.createObjectURL(await answer.blob());
  image.src = url;
  await image.decode();
  if (sheetUrl) URL.revokeObjectURL(sheetUrl);
  sheetUrl = url;
  at("sheet").querySelector("img")?.remove();
  at("sheet").firstElementChild.prepend(image);
}

function placeFigures(view) {
  const rows = view.figures.flatMap((one) => {
    const label = Object.assign(document.createElement("dt"), { textContent: one.label });
    const value = Object.assign(document.createElement("dd"), { textContent: one.text });
    if (one.good !== null) value.dataset.good = one.good;
    return [label, value];
  });
  at("figures").replaceChildren(...rows);
  const percent = Math.round(100 * (view.focus ?? 0));
  at("focus").setAttribute("aria-valuenow", percent);
  at("focus").firstElementChild.style.width = `${percent}%`;
}

async function follow() {
  for (;;) {
    try {
      place(await ask());
      at("toast").hidden ||= at("toast").textContent === labels?.lost;
    } catch {
      toast(labels?.lost ?? "…");
    }
    await new Promise((resolve) => { setTimeout(resolve, EVERY_MS); });
  }
}

at("picture").prepend(desk.figure);
at("front").prepend(front.figure);
at("close").addEventListener("click", async () => {
  await act({ do: "end" });
  location.replace("/");
});
at("exchange").addEventListener("click", () => act({ do: "exchange", by: "it" }));
for (const keep of document.querySelectorAll(".keep")) {
  keep.addEventListener("click", () => act({ do: "confirm", by: keep.dataset.by }));
}
await act({ do: "begin" });
follow();
