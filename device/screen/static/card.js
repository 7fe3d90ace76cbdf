// What a picture card on the desk said: a small line, and in its worst case the one control that stands on the screen in session.

const ARM_MS = 600; // a finger that was on its way to the screen must not meet it

let shown = "";

export function placeCard(view, ask) {
  const line = document.getElementById("card");
  if (line.textContent !== view.card) line.textContent = view.card;
  const button = document.getElementById("offer");
  const label = view.offer?.label ?? "";
  if (label === shown) return;
  shown = label;
  const armedAt = performance.now() + ARM_MS;
  button.hidden = label === "";
  button.firstElementChild.textContent = label;
  button.onclick = () => { if (view.offer && performance.now() >= armedAt) ask(view.offer); };
}
