// The schedule's page: sends a file or a dismissal through the API, and says by row what does not fit.

const faults = document.getElementById("faults");

document.getElementById("import").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const file = form.elements.file.files[0];
  const type = /\.(ics|ical)$/i.test(file.name) ? "text/calendar" : "text/csv";
  const address = `/api/v1/bookings/import?campus=${encodeURIComponent(form.dataset.campus)}`;
  say("import-said", "Reading the file …");
  show([]);
  const { ok, told } = await send(address, { method: "PUT", headers: { "Content-Type": type }, body: file });
  if (ok) {
    const notes = told.notes.length ? ` ${told.notes.join(". ")}.` : "";
    say("import-said", `${told.added} added, ${told.changed} changed, ${told.unchanged} as they were.${notes}`);
    if (told.added || told.changed) setTimeout(() => location.reload(), 1500);
    return;
  }
  say("import-said", told.errors ? `Nothing was imported: ${told.errors.length} values do not fit.` : told.detail, true);
  show(told.errors ?? []);
});

document.getElementById("close").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const body = JSON.stringify({ dismissal: form.elements.dismissal.value, reason: form.elements.reason.value });
  const address = `/api/v1/campuses/${encodeURIComponent(form.dataset.campus)}/closures`;
  const { ok, told } = await send(address, { method: "POST", headers: { "Content-Type": "application/json" }, body });
  if (!ok) return say("close-said", told.detail, true);
  say("close-said", `Closed. ${told.settled.length} bookings are settled as a school event.`);
  setTimeout(() => location.reload(), 1500);
});

for (const button of document.querySelectorAll("[data-reopen]")) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    const { ok, told } = await send(button.dataset.reopen, { method: "DELETE" });
    button.disabled = ok;
    if (!ok) return say("reopen-said", told.detail, true);
    const stay = told.settled.length ? ` ${told.settled.length} stay settled: over, or somebody is booked elsewhere.` : "";
    say("reopen-said", `Open as planned. ${told.planned.length} bookings are held again.${stay}`);
    setTimeout(() => location.reload(), 2500);
  });
}

async function send(address, request) {
  try {
    const answer = await fetch(address, { ...request, signal: AbortSignal.timeout(60000) });
    const told = await answer.json().catch(() => ({}));
    return { ok: answer.ok, told: { detail: `The fleet answered with status ${answer.status}.`, ...told } };
  } catch {
    return { ok: false, told: { detail: "The fleet cannot be reached from this page." } };
  }
}

function say(id, text, bad = false) {
  const place = document.getElementById(id);
  place.textContent = text;
  place.classList.toggle("bad", bad);
}

function show(errors) {
  const rows = errors.map(({ line, column, message }) => {
    const row = document.createElement("tr");
    for (const text of [line ?? "", column ?? "", message]) {
      const cell = document.createElement("td");
      cell.textContent = text;
      row.append(cell);
    }
    return row;
  });
  faults.querySelector("tbody").replaceChildren(...rows);
  faults.hidden = rows.length === 0;
}
