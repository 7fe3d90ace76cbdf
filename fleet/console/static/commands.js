// "Check now", "Identify" and "Ask for a worksheet": asks the kiosk through the fleet, and says what it answered or that it did not.

import { timeOfDay } from "./ages.js";

const LIMIT_S = 10; // a request that is older is never run
const LOOK_MS = 300;
const SILENT = `No answer within ${LIMIT_S} s. Nothing new is known.`;

export function startCommands() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[data-command]");
    if (button) run(button.dataset.kiosk, button.dataset.command);
  });
}

const asking = new Set();

async function run(kiosk, name) {
  const key = `${name} ${kiosk}`;
  if (asking.has(key)) return; // its row may be a new one by now, with a new button
  asking.add(key);
  const button = () => document.querySelector(`[data-kiosk="${CSS.escape(kiosk)}"][data-command="${name}"]`);
  button()?.setAttribute("aria-disabled", "true");
  say(kiosk, "Asking the kiosk …", "");
  const [text, tone, address] = await ask(kiosk, name);
  asking.delete(key);
  button()?.removeAttribute("aria-disabled");
  say(kiosk, text, tone, address);
}

async function ask(kiosk, name) {
  const limit = AbortSignal.timeout(LIMIT_S * 1000);
  try {
    const sent = await call(`/api/v1/kiosks/${encodeURIComponent(kiosk)}/commands`, limit, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name, expires_in_s: LIMIT_S }),
    });
    let told = sent;
    while (told.state === "waiting") {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      told = await call(`/api/v1/kiosks/${encodeURIComponent(kiosk)}/commands/${sent.id}`, limit);
    }
    if (told.state !== "answered") return [SILENT, "bad"];
    if (told.reply.ok && name === "still") return arrived(told);
    if (told.reply.ok) return [`${answered(name, told.reply.result ?? {})} (${timeOfDay()})`, "good"];
    if (name === "still") return [`No worksheet. ${told.reply.detail ?? told.reply.error}`, "bad"];
    return [`The kiosk could not: ${told.reply.detail ?? told.reply.error ?? "it does not say why"}.`, "bad"];
  } catch (error) {
    if (error.name === "TimeoutError") return [SILENT, "bad"];
    if (error instanceof Refusal) return [error.message, "bad"];
    return ["The fleet cannot be reached from this page.", "bad"];
  }
}

class Refusal extends Error {}

async function call(address, signal, request = {}) {
  const answer = await fetch(address, { ...request, signal, headers: { Accept: "application/json", ...request.headers } });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(told.detail ?? `The fleet answered with status ${answer.status}.`);
  return told;
}

function arrived({ still, reply: { result } }) {
  const scale = Number(result?.px_per_mm);
  const fine = !scale ? "it has no scale" : result.sharp ? "fine enough for handwriting" : "too coarse to judge letters";
  return [`The worksheet has arrived (${timeOfDay()}); ${fine}.`, "good", still?.replace("/api/v1", "")];
}

function answered(name, result) {
  if (name === "identify") return "It is showing itself in its room now.";
  const words = { ready: "ready", attention: "it needs a hand", blocked: "it cannot run a session" };
  return words[result.verdict] ? `It checked itself: ${words[result.verdict]}.` : "It checked itself and answered.";
}

function say(kiosk, text, tone, address) {
  const place = document.getElementById(`answer-${kiosk}`);
  if (place) {
    place.textContent = text;
    place.className = `answer ${tone}`;
    if (address) {
      const link = document.createElement("a");
      link.href = address;
      link.textContent = "Look at it";
      place.append(" ", link);
    }
  }
  document.getElementById("said").textContent = tone ? `${kiosk}: ${text}` : "";
}
