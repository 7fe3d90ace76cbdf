// "Check now" and "Identify": asks the kiosk through the fleet, and says what it answered or that it did not.

import { timeOfDay } from "./ages.js";

const LIMIT_MS = 10000;

export function startCommands() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[data-command]");
    if (button && button.getAttribute("aria-disabled") !== "true") run(button.dataset.kiosk, button.dataset.command);
  });
}

async function run(kiosk, name) {
  const button = () => document.querySelector(`[data-kiosk="${CSS.escape(kiosk)}"][data-command="${name}"]`);
  button()?.setAttribute("aria-disabled", "true");
  say(kiosk, "Asking the kiosk …", "");
  const [text, tone] = await ask(kiosk, name);
  button()?.removeAttribute("aria-disabled");
  say(kiosk, text, tone);
}

async function ask(kiosk, name) {
  try {
    const answer = await fetch(`/api/v1/kiosks/${encodeURIComponent(kiosk)}/commands`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name }),
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    const told = await answer.json().catch(() => ({}));
    if (answer.ok && told.ok !== false) return [`${answered(name, told.result ?? {})} (${timeOfDay()})`, "good"];
    return [`It could not: ${told.detail ?? told.error ?? told.title ?? `status ${answer.status}`}`, "bad"];
  } catch (error) {
    if (error.name === "TimeoutError") return [`No answer within ${LIMIT_MS / 1000} s. Nothing new is known.`, "bad"];
    return ["The question did not reach the fleet. Is this page connected?", "bad"];
  }
}

function answered(name, result) {
  if (name === "identify") return "It is showing itself in its room now.";
  const words = { ready: "ready", attention: "it needs a hand", blocked: "it cannot run a session" };
  return words[result.verdict] ? `It checked itself: ${words[result.verdict]}.` : "It checked itself and answered.";
}

function say(kiosk, text, tone) {
  const place = document.getElementById(`answer-${kiosk}`);
  if (place) {
    place.textContent = text;
    place.className = `answer ${tone}`;
  }
  document.getElementById("said").textContent = tone ? `${kiosk}: ${text}` : "";
}
