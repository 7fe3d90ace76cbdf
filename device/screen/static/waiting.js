// Looks once a second whether there is something else to show: other words, or the agent's own page in this one's place.
const EVERY_MS = 1000;

async function look() {
  try {
    const answer = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(5000) });
    const told = await answer.json();
    if (told.release !== document.documentElement.dataset.release) location.reload();
  } catch {
    // Nobody answers while one makes way for the other; what stands here stays until somebody does.
  }
}

setInterval(look, EVERY_MS);
