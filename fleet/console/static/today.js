// Today's bookings: their rows as they come, and what a therapist does with one of them.

import { tick, timeOfDay } from "./ages.js";
import { element, keepAnswers, keepFields, keepingFocus } from "./swap.js";

/** The handlers of the stream's events about bookings. */
export function todayEvents() {
  const list = document.getElementById("today");
  if (!list) return {};
  return {
    booking({ id, html }) {
      const row = element(html);
      const old = document.getElementById(`b-${id}`);
      keepingFocus(() => {
        if (!old) return list.append(row);
        keepFields(row);
        keepAnswers(old, row);
        old.replaceWith(row);
      });
      tick();
    },
    bookings({ ids, summary }) {
      const wanted = new Set(ids.map((id) => `b-${id}`));
      keepingFocus(() => {
        for (const row of [...list.children]) if (!wanted.has(row.id)) row.remove();
        ids.forEach((id, place) => {
          const row = document.getElementById(`b-${id}`);
          if (row && list.children[place] !== row) list.insertBefore(row, list.children[place] ?? null);
        });
      });
      const place = document.getElementById("today-summary");
      if (place.innerHTML.trim() !== summary.trim()) place.innerHTML = summary;
    },
  };
}

const WITHIN_MS = { check: 12000 };

export function startToday() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[data-act]");
    if (!button) return;
    const { act, booking, minutes } = button.dataset;
    if (act === "check") ask(booking, "check", "POST", "/check", undefined, (told) => told.words);
    if (act === "late") {
      ask(booking, act, "POST", "/late", { minutes: Number(minutes) }, () => `The room is told: ${minutes} min late.`);
    }
    if (act === "cancel") ask(booking, act, "POST", "/cannot-come", { cancel: true }, () => "Cancelled; the room is told.");
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest?.("form.hand, form.reason");
    if (!form) return;
    event.preventDefault();
    const told = new FormData(form);
    const { booking } = form.dataset;
    if (form.matches(".hand")) {
      const to = told.get("to").trim();
      ask(booking, "hand", "POST", "/cannot-come", { hand_to: to }, () => `Handed to ${to}.`);
    } else ask(booking, "reason", "PATCH", "", { reason: told.get("reason") }, () => "Saved.");
  });
}

const asking = new Set();

async function ask(booking, what, method, path, body, words) {
  if (asking.has(booking)) return;
  asking.add(booking);
  say(booking, what === "check" ? "Asking the kiosk …" : "Asking the fleet …", "");
  try {
    const answer = await fetch(`/api/v1/bookings/${encodeURIComponent(booking)}${path}`, {
      method,
      headers: { Accept: "application/json", "Content-Type": "application/json" },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(WITHIN_MS[what] ?? 10000),
    });
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) say(booking, told.detail ?? `The fleet answered with status ${answer.status}.`, "bad");
    else say(booking, `${words(told)} (${timeOfDay()})`, told.answered === false ? "bad" : "good");
  } catch {
    say(booking, "The fleet cannot be reached from this page.", "bad");
  } finally {
    asking.delete(booking);
  }
}

function say(booking, text, tone) {
  const place = document.getElementById(`answer-${booking}`);
  if (place) {
    place.textContent = text;
    place.className = `answer ${tone}`;
  }
  const said = document.getElementById("said");
  if (said) said.textContent = tone ? text : "";
}
