// A clinician confirms the minutes provided. The page then renews itself.

import { act } from "./incidents.js";

export function startConfirming() {
  document.addEventListener("submit", (event) => {
    const form = event.target.closest?.("form.confirm");
    if (!form) return;
    event.preventDefault();
    const told = new FormData(form);
    const body = { minutes: Number(told.get("minutes")) };
    for (const name of ["reason", "note"]) if (told.get(name)) body[name] = told.get(name);
    act("confirm", `/api/v1/sessions/${encodeURIComponent(form.dataset.session)}/confirm`, body, "answer-confirm");
  });
}
