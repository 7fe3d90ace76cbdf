// The kiosk's page: places the view that the agent sends, counts on between two of them, and does what the button does.
//
// A tap anywhere does what the button does, except in session: a child sits in front of the screen then, so the first tap
// only shows the controls for a while, and the controls act. Times run on performance.now(), which no clock change moves.

import { placeCard } from "./card.js";
import { holdable } from "./hold.js";
import { controls, isWide, make } from "./panel.js";
import { Picture } from "./pictures.js";

const LOST_AFTER_MS = 6000;
const RETRY_MS = 1000;
const PANEL_IN_SESSION_MS = 8000;
const PANEL_MS = 20000;
const ARM_MS = 600; // the tap that showed the controls must not press one of them
const TWICE_MS = 500; // the second half of a double tap is no second press
const TOAST_MS = 5000;
const STAYS = new Set(["extend", "absent"]); // often more than one of them
const RUNNING = new Set(["live", "waiting", "offline"]);

const at = (id) => document.getElementById(id);
const stage = at("stage");
const panel = at("panel");
const release = document.documentElement.dataset.release;

let view = null;
let heardAt = performance.now();
let lost = false;
let source = null;
let openedAt = -Infinity;

// Listening

function connect() {
  source?.close();
  source = new EventSource("/api/events");
  openedAt = performance.now();
  source.addEventListener("state", (event) => heard(JSON.parse(event.data)));
}

function heard(told) {
  if (told.release !== release) {
    location.reload();
    return;
  }
  if (told.state.setup.stage !== "closed") {
    location.replace("/commission"); // somebody sets up the cameras
    return;
  }
  heardAt = performance.now();
  place(told.view);
  setLost(false);
}

function watch() {
  const now = performance.now();
  const silent = now - heardAt > LOST_AFTER_MS;
  if (silent) setLost(true);
  const refused = source.readyState === EventSource.CLOSED;
  if ((refused || silent) && now - openedAt > (refused ? RETRY_MS : LOST_AFTER_MS)) connect();
  if (!lost) tick(now);
}

function setLost(is) {
  if (is === lost) return;
  lost = is;
  at("lost").hidden = !is;
  stage.inert = is;
  if (is) {
    closePanel();
    for (const picture of pictures.values()) picture.show(null);
  } else {
    placeTiles();
  }
}

// Placing a view

function place(next) {
  const before = view;
  view = next;
  document.documentElement.lang = view.language;
  document.documentElement.dir = view.direction;
  document.title = view.headline;
  document.body.dataset.screen = view.screen;
  document.body.dataset.tone = view.tone;
  at("shape").setAttribute("href", `#${view.shape}`);
  text("then", view.then);
  text("notice", view.notice);
  at("notice").hidden = view.notice === "";
  text("bar-label", view.bar_label);
  text("help", view.help);
  text("more", view.labels.more);
  text("lost-text", view.labels.lost);
  text("lost-do", view.labels.lost_do);
  at("holding").querySelector("span").textContent = view.labels.hold_on;
  panel.setAttribute("aria-label", view.labels.controls);
  at("tiles").setAttribute("aria-label", view.labels.pictures);
  at("clock").hidden = view.clock === null;
  at("bar").hidden = view.bar === null && view.countdown_to_ms === null;
  stage.toggleAttribute("data-counting", view.countdown_to_ms !== null);
  placeFigures();
  placeFoot();
  placeTap();
  if (before && group(before) !== group(view)) closePanel();
  if (!panel.hidden) drawPanel(shownList);
  placeCard(view, { ask, open: openPanel });
  placeTiles();
  tick(performance.now());
  fit();
  announce(before);
}

function group(of) {
  return RUNNING.has(of.screen) ? "running" : of.screen;
}

function text(id, words) {
  const element = at(id);
  if (element.textContent !== words) element.textContent = words;
}

function placeFigures() {
  const rows = view.figures.flatMap(({ label, value }) => [make("dt", label), make("dd", value)]);
  at("figures").replaceChildren(...rows);
}

function placeFoot() {
  const shown = view.footer.map((foot) => {
    const span = make("span", foot.text, foot.strong ? "strong" : "");
    if (foot.clock) span.append(" ", make("time", ""));
    return span;
  });
  at("foot").replaceChildren(...shown);
  placeSpeak();
  at("more").hidden = view.tap === "reveal" || !view.actions.some((one) => ["ask", "go"].includes(one.kind));
}

// The key for another language: one other is a tap away, several are on a list.
function placeSpeak() {
  const [one, ...more] = view.languages;
  at("speak").hidden = !one;
  if (!one) return;
  text("speak", more.length ? view.labels.speak : one.label);
  at("speak").lang = more.length ? view.language : one.value;
  at("speak").dataset.does = more.length ? "" : `language:${one.value}`;
}

function placeTap() {
  const press = view.actions.find((one) => one.kind === "press");
  const label = view.tap === "reveal" ? view.labels.controls : press?.label;
  at("tap").setAttribute("aria-label", label ?? view.headline);
  at("tap").setAttribute("aria-disabled", String(view.tap === "nothing"));
  at("tap").dataset.does = view.tap === "press" ? "press" : "";
}

function announce(before) {
  const said = (of) => `${of.headline_pattern || of.headline} ${of.do_pattern || of.do}`;
  if (before && said(before) === said(view) && before.language === view.language) return;
  at("announce").textContent = `${view.headline}. ${view.do}`;
}

// The longest texts take a smaller size, never one under the least that can be read from two metres. A headline has at most
// two lines.
function fit() {
  const [words, headline] = [at("words"), at("headline")];
  for (let size = 0; size <= 4; size += 1) {
    stage.dataset.fit = size;
    const line = parseFloat(getComputedStyle(headline).lineHeight);
    const short = headline.parentElement.clientHeight < 2.5 * line && headline.parentElement.scrollWidth <= words.clientWidth;
    if (short && words.scrollHeight <= words.clientHeight) break;
  }
}

// Text that the browser is set to show larger makes the page larger, and then it may be scrolled.
function enlarge() {
  const scale = Math.max(1, parseFloat(getComputedStyle(document.documentElement).fontSize) / 16);
  document.documentElement.style.setProperty("--text", scale);
  document.documentElement.toggleAttribute("data-large", scale > 1.05);
}

// Counting on between two views

function tick(now) {
  if (!view) return;
  const since = now - heardAt;
  if (view.clock) text("clock", duration(counted(view.clock, since)));
  if (view.countdown_to_ms !== null) {
    const left = Math.max(0, view.countdown_to_ms - since);
    const seconds = Math.max(1, Math.ceil(left / 1000));
    text("headline", view.headline_pattern ? view.headline_pattern.replace("{seconds}", seconds) : view.headline);
    text("do", view.do_pattern ? view.do_pattern.replace("{seconds}", seconds) : view.do);
    fill("bar", left / view.countdown_of_ms);
  } else {
    text("headline", view.headline);
    text("do", view.do);
    if (view.bar !== null && view.clock) fill("bar", counted(view.clock, since) / view.bar_of_ms);
  }
  view.footer.forEach((foot, index) => {
    if (!foot.clock) return;
    const time = at("foot").children[index]?.querySelector("time");
    const words = duration(counted(foot.clock, since));
    if (time && time.textContent !== words) time.textContent = words;
  });
  const head = panel.querySelector("header b");
  if (head) head.textContent = panelHead();
}

function counted(clock, since) {
  return clock.elapsed_ms + (clock.ticking ? since : 0);
}

function duration(ms) {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  const pad = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`;
}

function fill(id, share) {
  at(id).firstElementChild.style.width = `${Math.min(100, Math.max(0, share * 100)).toFixed(1)}%`;
}

// The pictures

const pictures = new Map();

function placeTiles() {
  const open = !panel.hidden && "panel" in stage.dataset;
  const covered = open && "wide" in stage.dataset;
  const shown = view && !lost && !covered && (!view.tiles_on_tap || open) ? view.tiles : [];
  const box = at("tiles");
  box.hidden = shown.length === 0;
  stage.toggleAttribute("data-tiles", shown.length > 0);
  for (const [role, picture] of pictures) {
    if (!shown.some((tile) => tile.role === role)) {
      picture.show(null);
      picture.figure.remove();
    }
  }
  for (const tile of shown) {
    if (!pictures.has(tile.role)) pictures.set(tile.role, new Picture(tile.role));
    const picture = pictures.get(tile.role);
    if (!picture.figure.isConnected) box.append(picture.figure);
    picture.show(tile);
  }
}

// The controls

let shownList = null; // null: all controls; else the name of the list that is open: "language"
let [drawn, closing, armedAt] = ["", 0, 0];

function openPanel(list = null) {
  armedAt = performance.now() + (view.tap === "reveal" ? ARM_MS : 0);
  panel.hidden = false;
  stage.dataset.panel = "";
  at("more").setAttribute("aria-expanded", "true");
  drawPanel(list);
  placeTiles();
  stayOpen();
}

function closePanel() {
  clearTimeout(closing);
  if (panel.hidden) return;
  panel.hidden = true;
  panel.replaceChildren();
  [drawn, shownList] = ["", null];
  delete stage.dataset.panel;
  delete stage.dataset.wide;
  at("more").setAttribute("aria-expanded", "false");
  if (view) {
    placeTiles();
    fit();
  }
}

function stayOpen() {
  clearTimeout(closing);
  closing = setTimeout(closePanel, view.tap === "reveal" ? PANEL_IN_SESSION_MS : PANEL_MS);
}

function drawPanel(list) {
  const wanted = JSON.stringify([list, view.actions, view.languages, view.ask, view.labels, view.tap]);
  shownList = list;
  stage.toggleAttribute("data-wide", isWide(view, list));
  if (wanted === drawn) return;
  drawn = wanted;
  const head = make("header", "");
  head.append(make("b", panelHead()));
  if (view.tap === "reveal" && !list) head.append(make("p", view.labels.panel_hint));
  const armed = () => performance.now() >= armedAt;
  panel.replaceChildren(head, ...controls(view, list, { gesture, ask, armed, stayOpen }));
  placeTiles();
}

function panelHead() {
  if (shownList) return view.labels.speak;
  if (view.ask) return view.ask;
  if (view.tap !== "reveal" || !view.clock) return view.headline;
  return duration(counted(view.clock, performance.now() - heardAt));
}

let tappedAt = -Infinity;

function tapped() {
  if (!view || lost || view.tap === "nothing" || performance.now() - tappedAt < TWICE_MS) return;
  tappedAt = performance.now();
  if (!panel.hidden) closePanel();
  else if (view.tap === "reveal") openPanel();
  else gesture("press");
}

// Asking the kiosk

async function send(path, body) {
  const answer = await fetch(path, {
    method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" },
  });
  if (!answer.ok) throw new Error(answer.statusText);
}

async function gesture(name) {
  at("tap").dataset.heard = "";
  setTimeout(() => { delete at("tap").dataset.heard; }, 400);
  try {
    await send("/api/button", { gesture: name });
  } catch {
    toast(view.labels.not_possible);
  }
}

async function ask(action) {
  try {
    await send("/api/action", { name: action.name, value: action.value });
    if (action.done) toast(action.done);
    if (!STAYS.has(action.name)) closePanel();
  } catch {
    toast(view.labels.not_possible);
  }
}

let toasting = 0;

function toast(words) {
  text("toast", words);
  at("toast").hidden = false;
  clearTimeout(toasting);
  toasting = setTimeout(() => { at("toast").hidden = true; }, TOAST_MS);
}

holdable(at("tap"), {
  tap: tapped,
  hold: () => gesture("hold"),
  holds: () => view?.tap === "press" && view.actions.some((one) => one.kind === "hold"),
  progress: (share) => {
    at("holding").hidden = share === 0;
    fill("holding", share);
  },
});
at("more").addEventListener("click", () => (panel.hidden ? openPanel() : closePanel()));
at("speak").addEventListener("click", () => {
  if (!view || lost) return;
  if (view.languages.length === 1) ask(view.languages[0]);
  else if (panel.hidden || shownList !== "language") openPanel("language");
  else closePanel();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closePanel();
  // Without a chosen control the keys are the page's, as a tap is.
  if (event.target === document.body && (event.key === " " || event.key === "Enter")) at("tap").focus();
});
addEventListener("resize", () => { enlarge(); fit(); });
enlarge();
setInterval(watch, 200);
connect();
