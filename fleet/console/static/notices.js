// The corner of every page: how many incidents wait for somebody, and the newest in a sentence until it is hidden.

let hidden;
let shown;

export function showNotices({ count, newest }) {
  const number = document.getElementById("waiting");
  const told = document.getElementById("told");
  if (!number || !told) return;
  number.textContent = count ? ` ${count}` : "";
  number.hidden = !count;
  shown = newest?.id;
  told.hidden = !newest || newest.id === hidden;
  if (!newest) return;
  const link = told.querySelector("a");
  link.href = newest.address;
  if (link.textContent !== newest.text) link.textContent = newest.text;
}

document.getElementById("told-away")?.addEventListener("click", () => {
  hidden = shown;
  document.getElementById("told").hidden = true;
  document.getElementById("main").focus({ preventScroll: true });
});
