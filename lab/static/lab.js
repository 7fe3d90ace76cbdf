// The lab's switches: each button posts one order; the line above them says each second what the kiosk is doing.

async function post(section, path, order) {
  const answer = await fetch(`/kiosks/${section.dataset.kiosk}/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(order),
  });
  if (!answer.ok) say(section, (await answer.json()).detail ?? "refused", true);
}

function toggle(section, button) {
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", on);
  post(section, button.dataset.path, { cause: button.dataset.cause, on });
}

function say(section, text, bad) {
  const line = section.querySelector(".now");
  if (line.textContent !== text) line.textContent = text;
  line.classList.toggle("bad", bad);
}

function words(kiosk) {
  if (!kiosk.powered) return ["No power.", true];
  if (!kiosk.state) return ["No answer: the agent is starting.", true];
  const { state, readiness, link, backlog, cameras } = kiosk.state;
  const seen = Object.entries(cameras).map(([role, camera]) => `${role} ${camera.state}`).join(", ");
  const network = link.up ? "link up" : "link down";
  return [`${state} · ${readiness.verdict} · ${network} · ${backlog.rows} rows wait · ${seen}`, !kiosk.link_up];
}

async function refresh() {
  const answer = await fetch("/state").catch(() => null);
  for (const section of document.querySelectorAll("[data-kiosk]")) {
    if (!answer?.ok) { say(section, "The lab has ended.", true); continue; }
  }
  if (!answer?.ok) return;
  const { kiosks } = await answer.json();
  for (const section of document.querySelectorAll("[data-kiosk]")) say(section, ...words(kiosks[section.dataset.kiosk]));
}

for (const section of document.querySelectorAll("[data-kiosk]")) {
  section.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-path]");
    if (button?.dataset.cause) toggle(section, button);
    else if (button) post(section, button.dataset.path, JSON.parse(button.dataset.order));
  });
  section.addEventListener("change", (event) => post(section, event.target.dataset.path, { fault: event.target.value }));
}
refresh();
setInterval(refresh, 1000);
