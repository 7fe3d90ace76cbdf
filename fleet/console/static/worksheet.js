// The worksheet's page: its grid on and off, larger and smaller, and a tape between two points.

import { measured, within, words } from "./measure.js";

const SVG = "http://www.w3.org/2000/svg";
const STEP = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const FAST = 10;
const MARK = 9; // pixels of the screen, whatever the zoom
const REACH = 22; // what a finger hits
const WIDE = 3; // pixels of the screen that a millimetre needs to be seen as one

const frame = document.getElementById("frame");
const sheet = document.getElementById("sheet");
const { width, height } = sheet.viewBox.baseVal;
const pxPerMm = Number(sheet.dataset.pxPerMm ?? 0);
let zoom = 1;

document.getElementById("picture").addEventListener("error", () => {
  document.getElementById("trouble").hidden = false;
});

for (const button of document.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => {
    const middle = [frame.scrollLeft + frame.clientWidth / 2, frame.scrollTop + frame.clientHeight / 2];
    const times = Number(button.dataset.zoom) / zoom;
    zoom *= times;
    sheet.setAttribute("width", width * zoom);
    sheet.setAttribute("height", height * zoom);
    frame.scrollTo(middle[0] * times - frame.clientWidth / 2, middle[1] * times - frame.clientHeight / 2);
    for (const one of document.querySelectorAll("[data-zoom]")) one.ariaPressed = String(one === button);
    draw();
  });
}

// The tape

const points = []; // at most two, in pixels of the picture
let now = 0; // which of them the keyboard moves

if (pxPerMm) {
  frame.dataset.measures = "";
  document.getElementById("grid").addEventListener("click", ({ currentTarget }) => {
    const on = currentTarget.ariaPressed !== "true";
    currentTarget.ariaPressed = String(on);
    document.getElementById("lines").style.display = on ? "" : "none";
  });
  document.getElementById("anew").addEventListener("click", clear);
  sheet.addEventListener("click", (event) => {
    if (event.target.classList.contains("point")) return; // it was moved, or hit on purpose
    put(at(event));
  });
  sheet.addEventListener("pointerdown", drag);
  frame.addEventListener("keydown", type);
}
draw();

function at(event) {
  const box = sheet.getBoundingClientRect();
  return within({ x: (event.clientX - box.left) / zoom, y: (event.clientY - box.top) / zoom }, width, height);
}

function put(point) {
  if (points.length < 2) now = points.push(point) - 1;
  else points[now] = point;
  draw();
}

function clear() {
  points.length = 0;
  now = 0;
  draw();
}

function drag(event) {
  if (!event.target.classList.contains("point")) return;
  event.preventDefault();
  now = Number(event.target.dataset.point);
  const move = (moved) => {
    points[now] = at(moved);
    draw();
  };
  const end = () => {
    removeEventListener("pointermove", move);
    removeEventListener("pointerup", end);
    removeEventListener("pointercancel", end);
  };
  addEventListener("pointermove", move);
  addEventListener("pointerup", end);
  addEventListener("pointercancel", end);
  frame.focus({ preventScroll: true });
}

function type(event) {
  const step = STEP[event.key];
  if (step) {
    const size = event.shiftKey ? FAST : 1;
    const from = points[now] ?? shown();
    points[now] = within({ x: from.x + step[0] * size, y: from.y + step[1] * size }, width, height);
  } else if (event.key === "Enter" || event.key === " ") {
    if (!points.length) points.push(shown());
    else if (points.length < 2) points.push({ ...points[0] });
    now = points.length - 1 ? 1 - now : 0;
  } else if (event.key === "Escape") {
    clear();
  } else {
    return;
  }
  event.preventDefault();
  draw();
  reveal();
}

/** The middle of what is seen of the picture. */
function shown() {
  const x = (frame.scrollLeft + frame.clientWidth / 2) / zoom;
  const y = (frame.scrollTop + frame.clientHeight / 2) / zoom;
  return within({ x: Math.round(x), y: Math.round(y) }, width, height);
}

/** Scrolls the picture, never the page, so that the moved point can be seen. */
function reveal() {
  if (!points[now]) return;
  const margin = REACH * 2;
  const [x, y] = [points[now].x * zoom, points[now].y * zoom];
  if (x < frame.scrollLeft + margin) frame.scrollLeft = x - margin;
  if (x > frame.scrollLeft + frame.clientWidth - margin) frame.scrollLeft = x + margin - frame.clientWidth;
  if (y < frame.scrollTop + margin) frame.scrollTop = y - margin;
  if (y > frame.scrollTop + frame.clientHeight - margin) frame.scrollTop = y + margin - frame.clientHeight;
}

function draw() {
  const tape = document.getElementById("tape");
  if (!tape) return;
  document.getElementById("lines").classList.toggle("dense", pxPerMm * zoom < WIDE);
  const drawn = [];
  const [a, b] = points;
  if (b) for (const kind of ["tape under", "tape"]) drawn.push(shape("line", kind, { x1: a.x, y1: a.y, x2: b.x, y2: b.y }));
  points.forEach(({ x, y }, number) => {
    const [mark, reach] = [MARK / zoom, REACH / zoom];
    const cross = `M${x - mark} ${y}H${x + mark}M${x} ${y - mark}V${y + mark}`;
    const point = shape("circle", number === now ? "point now" : "point", { cx: x, cy: y, r: reach });
    point.dataset.point = number;
    drawn.push(shape("path", "tape under", { d: cross }), point, shape("path", "tape mark", { d: cross }));
  });
  tape.replaceChildren(...drawn);
  const length = document.getElementById("length");
  length.classList.toggle("nothing", !b);
  length.textContent = b ? words(measured(a, b, pxPerMm)) : a ? "One point is set; set the other." : "Nothing is measured yet.";
}

function shape(name, kind, numbers) {
  const made = document.createElementNS(SVG, name);
  made.setAttribute("class", kind);
  for (const [key, value] of Object.entries(numbers)) made.setAttribute(key, value);
  return made;
}
