// New markup in place of old without taking anything from the reader: focus, opened details and answers stay.

/** Runs `change`, then gives the focus back to the element that has the same `data-keep` or id. */
export function keepingFocus(change) {
  const before = document.activeElement;
  const kept = before?.dataset?.keep;
  const id = before?.id;
  change();
  if (document.activeElement === before || !before) return;
  const after = kept ? document.querySelector(`[data-keep="${CSS.escape(kept)}"]`) : id && document.getElementById(id);
  if (after) after.focus({ preventScroll: true });
}

/** Puts the children of `html` into `element`, with every `<details>` left as the reader had it. */
export function renew(element, html) {
  const next = document.createElement("template");
  next.innerHTML = html;
  keepFields(next.content);
  keepAnswers(element, next.content);
  const live = element.querySelector("#live");
  const news = next.content.querySelector("#live");
  keepingFocus(() => {
    if (live && news) {
      // A screen reader hears changes inside an element that stays, not an element that is new.
      const [old, now] = [live, news].map((one) => one.querySelector("#summary"));
      if (old.innerHTML !== now.innerHTML) old.innerHTML = now.innerHTML;
      news.replaceWith(live);
    }
    element.replaceChildren(next.content);
  });
}

/** Leaves in `next` every `<details>` and every field with an id as the reader had it. */
export function keepFields(next) {
  for (const details of next.querySelectorAll("details[id]")) {
    const old = document.getElementById(details.id);
    if (old) details.open = old.open;
  }
  for (const field of next.querySelectorAll("input[id], select[id]")) {
    const old = document.getElementById(field.id);
    if (old) field.value = old.value; // somebody may be writing in it
  }
}

/** The one element that `html` holds. */
export function element(html) {
  const next = document.createElement("template");
  next.innerHTML = html.trim();
  return next.content.firstElementChild;
}

/** Carries what a command was answered over to the same place in `next`. */
export function keepAnswers(old, next) {
  for (const answer of old.querySelectorAll(".answer")) {
    if (answer.textContent) next.querySelector(`#${CSS.escape(answer.id)}`)?.replaceWith(answer);
  }
}
