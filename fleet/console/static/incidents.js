// What people do to incidents: acknowledge, suppress, say that it is over, report. The page then renews itself.

const DONE = { confirm: "Confirmed.", acknowledge: "You look after it.", resolve: "It is over.", report: "Reported.", suppress: "Done." };
const HOUR_MS = 3600000;

export function startIncidents() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[data-do]");
    if (!button) return;
    const { do: what, incident, kiosk, answer } = button.dataset;
    if (what === "report") act("report", "/api/v1/incidents/report", { kiosk, kind: "other" }, "answer-report");
    else act(what, `/api/v1/incidents/${encodeURIComponent(incident)}/${what}`, undefined, answer ?? `answer-${incident}`);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest?.("form.suppress[data-incident]");
    if (!form) return;
    event.preventDefault();
    const { incident } = form.dataset;
    const told = new FormData(form);
    const until = new Date(Date.now() + Number(told.get("hours")) * HOUR_MS - (told.get("hours") === "0" ? HOUR_MS : 0));
    const body = { until: until.toISOString(), reason: told.get("reason") };
    act("suppress", `/api/v1/incidents/${encodeURIComponent(incident)}/suppress`, body, `answer-${incident}`);
  });
}

export async function act(what, address, body, place) {
  say(place, "Asking the fleet …", "");
  try {
    const headers = { Accept: "application/json", "Content-Type": "application/json" };
    const answer = await fetch(address, {
      method: "POST",
      headers,
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(10000),
    });
    const told = await answer.json().catch(() => ({}));
    if (answer.ok) say(place, DONE[what], "good");
    else say(place, told.detail ?? `The fleet answered with status ${answer.status}.`, "bad");
  } catch {
    say(place, "The fleet cannot be reached from this page.", "bad");
  }
}

function say(id, text, tone) {
  const place = document.getElementById(id);
  if (place) {
    place.textContent = text;
    place.className = `answer ${tone}`;
  }
  const said = document.getElementById("said");
  if (said && tone) said.textContent = text;
}
