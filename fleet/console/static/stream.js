// Server-sent events, and the plain truth when they stop: what stands on the page is then from that minute.

import { countSessions, setNow, timeOfDay } from "./ages.js";
import { whenFree } from "./hand.js";
import { showNotices } from "./notices.js";

const SILENT_MS = 22000; // two ticks of the fleet missed
const RETRY_MS = 3000;

/** Listens at `url`; `on` holds a function for each kind of event, which gets the event's data. */
export function listen(url, on) {
  let source;
  let watch;
  let retry;

  function heard() {
    clearTimeout(watch);
    watch = setTimeout(again, SILENT_MS);
    found();
  }

  function open() {
    clearTimeout(retry);
    source = new EventSource(url);
    source.addEventListener("tick", (event) => {
      const told = JSON.parse(event.data);
      setNow(told.now, told.offset_s);
      heard();
      on.tick?.(told);
    });
    for (const name of Object.keys(on).filter((one) => one !== "tick")) {
      source.addEventListener(name, (event) => {
        heard();
        whenFree(() => on[name](JSON.parse(event.data)));
      });
    }
    source.addEventListener("notices", (event) => {
      heard();
      whenFree(() => showNotices(JSON.parse(event.data)));
    });
    source.addEventListener("again", () => {
      source.close();
      open();
    });
    source.onerror = () => {
      lost();
      if (source.readyState === EventSource.CLOSED) retry = setTimeout(again, RETRY_MS);
    };
    clearTimeout(watch);
    watch = setTimeout(again, SILENT_MS);
  }

  function again() {
    lost();
    source.close();
    open();
  }

  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && again());
  open();
}

function lost() {
  const note = document.getElementById("lost");
  if (!note.hidden) return;
  note.querySelector("span").textContent =
    `This page lost its connection at ${timeOfDay()}; what you see is from then. It keeps trying.`;
  note.hidden = false;
  document.body.classList.add("stale");
  countSessions(false);
}

function found() {
  document.getElementById("lost").hidden = true;
  document.body.classList.remove("stale");
  countSessions(true);
}
