// The page's time: the fleet's clock carried on by the browser's monotonic one, and the ages and session clocks that
// count on by it. The words follow fleet/times.py.

let fleetMs = Date.parse(document.body.dataset.now);
let offsetS = Number(document.body.dataset.offsetS);
let measuredMs = performance.now();
let counting = true;

/** The fleet's time now, in milliseconds. */
export function now() {
  return fleetMs + (performance.now() - measuredMs);
}

/** Takes the fleet's own word for its time and for its zone's offset from UTC. */
export function setNow(iso, zoneOffsetS) {
  fleetMs = Date.parse(iso);
  offsetS = zoneOffsetS;
  measuredMs = performance.now();
}

/** `10:04`, in the fleet's zone. */
export function timeOfDay() {
  return new Date(now() + offsetS * 1000).toISOString().slice(11, 16);
}

/** Session clocks stand still while nobody knows whether the sessions go on; ages never do. */
export function countSessions(on) {
  counting = on;
}

export function tick() {
  for (const time of document.querySelectorAll("time[data-at]")) {
    show(time, age((now() - Date.parse(time.dataset.at)) / 1000));
  }
  if (!counting) return;
  for (const clock of document.querySelectorAll("[data-clock]")) {
    show(clock, duration(Number(clock.dataset.clock) + now() - Date.parse(clock.dataset.from)));
  }
}

function age(ageS) {
  const seconds = Math.max(0, Math.floor(ageS));
  if (seconds < 1) return "just now";
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} days ago`;
}

function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (part) => String(part).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function show(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
