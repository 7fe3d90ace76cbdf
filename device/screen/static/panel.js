// The controls that a tap shows. All of them at once: whatever somebody wants is never more than two taps away.

import { holdable } from "./hold.js";

const ROOM_BESIDE_PICTURES = 9; // more of them take the pictures' place

export function make(tag, words, className = "") {
  const element = document.createElement(tag);
  element.textContent = words;
  if (className) element.className = className;
  return element;
}

// What stands on the panel: for `list` "language" the languages, else every control.
export function listed(view, list) {
  if (list === "language") return view.languages;
  return view.actions.filter((one) => view.tap === "reveal" || one.kind !== "press");
}

export function isWide(view, list) {
  return list !== null || listed(view, list).length > ROOM_BESIDE_PICTURES;
}

// `hands` does what a control says: gesture(name), ask(action), armed(), stayOpen().
export function controls(view, list, hands) {
  const buttons = listed(view, list).map((one) => control(one, hands));
  const odd = buttons.filter((one) => !one.classList.contains("third"));
  if (odd.length % 2) odd.at(-1).classList.add("whole");
  return buttons;
}

export function does(action) {
  return ["press", "hold"].includes(action.kind) ? action.kind : `${action.name}:${action.value}`;
}

function control(action, hands) {
  const button = make("button", "");
  button.type = "button";
  button.dataset.does = does(action);
  button.append(make("span", "", "fill"), make("span", action.label, "text"));
  if (["press", "hold"].includes(action.kind)) button.classList.add("main");
  if (action.name === "extend") button.classList.add("third");
  if (action.name === "language") button.lang = action.value;
  if (action.kind === "hold") {
    const bar = button.querySelector(".fill");
    holdable(button, {
      hold: () => hands.gesture("hold"),
      holds: hands.armed,
      progress: (share) => {
        bar.style.width = `${share * 100}%`;
        if (share) hands.stayOpen();
      },
    });
    return button;
  }
  button.addEventListener("click", () => {
    if (!hands.armed()) return;
    hands.stayOpen();
    if (action.kind === "go") location.assign(action.value);
    else if (action.kind === "press") hands.gesture("press");
    else hands.ask(action);
  });
  return button;
}
