// The small line about picture cards, and the one control that stands on the screen itself.

import { does } from "./panel.js";

const ARM_MS = 600; // a finger that was on its way to the screen must not meet it

let shown = "";

export function placeCard(view, { ask, open }) {
  const line = document.getElementById("card");
  if (line.textContent !== view.card) line.textContent = view.card;
  const button = document.getElementById("offer");
  const label = view.offer?.label ?? "";
  if (label === shown) return;
  shown = label;
  const armedAt = performance.now() + ARM_MS;
  button.hidden = label === "";
  button.dataset.does = view.offer && view.offer.kind !== "open" ? does(view.offer) : "";
  button.firstElementChild.textContent = label;
  button.onclick = () => {
    if (!view.offer || performance.now() < armedAt) return;
    if (view.offer.kind === "open") open();
    else ask(view.offer);
  };
}
