// The board's rows, each replaced when its kiosk has news; the fleet says which stand on this page and in what order.

import { tick } from "./ages.js";
import { listen } from "./stream.js";
import { element, keepAnswers, keepingFocus } from "./swap.js";
import { todayEvents } from "./today.js";

export function startBoard(url) {
  const list = document.getElementById("board");

  function kiosk({ id, html, summary }) {
    const row = element(html);
    const old = document.getElementById(`k-${id}`);
    keepingFocus(() => {
      if (!old) return list.append(row);
      keepAnswers(old, row);
      old.replaceWith(row);
    });
    if (summary) keepingFocus(() => fill("summary", summary));
    tick();
  }

  function order({ ids, summary, showing }) {
    const wanted = new Set(ids.map((id) => `k-${id}`));
    keepingFocus(() => {
      for (const row of [...list.children]) if (!wanted.has(row.id)) row.remove();
      ids.forEach((id, place) => {
        const row = document.getElementById(`k-${id}`);
        if (row && list.children[place] !== row) list.insertBefore(row, list.children[place] ?? null);
      });
      fill("summary", summary);
      fill("showing", showing);
    });
  }

  listen(url, { ...todayEvents(), kiosk, order, tick: ({ day }) => fill("day", day) });
}

/** The page that has today's bookings alone. */
export function startDay(url) {
  listen(url, { ...todayEvents(), tick: ({ day }) => fill("day", day) });
}

const filled = new Map();

function fill(id, html) {
  if (filled.get(id) === html) return;
  filled.set(id, html);
  const place = document.getElementById(id);
  if (place.innerHTML.trim() !== html.trim()) place.innerHTML = html;
}
