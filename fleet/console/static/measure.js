// Lengths on a picture of known scale. The give or take is a bound, not a guess: both ends may be off by a pixel, and
// the scale by one part in a hundred, all in the same direction.

export const SCALE_OFF = 0.01;

/** The length from `a` to `b` in millimetres, and by how much it may be off at most; points are `{x, y}` in pixels. */
export function measured(a, b, pxPerMm) {
  const mm = Math.hypot(b.x - a.x, b.y - a.y) / pxPerMm;
  return { mm, off: mm * SCALE_OFF + 2 / pxPerMm };
}

/** `12.3 mm, give or take 0.7 mm`: one decimal; what it may be off is rounded up. */
export function words({ mm, off }) {
  return `${mm.toFixed(1)} mm, give or take ${(Math.ceil(off * 10 - 1e-9) / 10).toFixed(1)} mm`;
}

/** Where a point may be: within the picture. */
export function within({ x, y }, width, height) {
  return { x: Math.min(width, Math.max(0, x)), y: Math.min(height, Math.max(0, y)) };
}
