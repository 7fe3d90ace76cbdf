// Nothing under a finger is exchanged: a button that is replaced between down and up gets no click.

const waiting = [];
let down = false;

function free() {
  setTimeout(() => { // the click comes after the up
    down = false;
    for (const change of waiting.splice(0)) change();
  });
}

addEventListener("pointerdown", () => { down = true; }, true);
for (const name of ["pointerup", "pointercancel"]) addEventListener(name, free, true);
addEventListener("blur", free); // the window's own; those of its elements do not come up here

/** Runs `change` as soon as nobody presses on the page. */
export function whenFree(change) {
  if (down) waiting.push(change);
  else change();
}
