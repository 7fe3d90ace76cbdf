// A finger or a key on a control: a press ends with its way up; held for 2 s it is a hold, with its progress in sight.

const HOLD_MS = 2000;

export function holdable(element, { tap = () => {}, hold, holds, progress }) {
  let timer = 0;
  let done = false;
  const start = () => {
    done = false;
    if (timer || !holds()) return;
    const began = performance.now();
    timer = setInterval(() => {
      const share = (performance.now() - began) / HOLD_MS;
      progress(Math.min(1, share));
      if (share < 1) return;
      stop();
      done = true;
      hold();
    }, 50);
  };
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    progress(0);
  };
  const released = () => {
    if (!done) tap();
    done = false;
  };
  element.addEventListener("pointerdown", (event) => { if (event.isPrimary && event.button === 0) start(); });
  for (const name of ["pointerup", "pointercancel", "pointerleave", "blur"]) element.addEventListener(name, stop);
  element.addEventListener("contextmenu", (event) => event.preventDefault());
  element.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (!event.repeat) start();
  });
  element.addEventListener("keyup", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    stop();
    released();
  });
  element.addEventListener("click", released);
}
