"""What was said of what was done, counted: the confusion table, precision and recall, times."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from lab.bench.figures import Figure, at_least, at_most, percentile
from lab.bench.vision_clean import Heard
from lab.bench.vision_timeline import Sample
from wire.signal_table import SIGNALS

SIGNALS_SEEN: Final = ("covered", "dark", "overexposed", "blurred", "frozen", "glare", "moved")
_COLUMNS: Final = (*SIGNALS_SEEN, "several", "nothing")
_RECALL, _PRECISION = 0.95, 0.98
_RULE_OF_THREE: Final = 3.0
"""Over T clean hours without an alarm the true rate is under 3 / T at 95 % confidence (Hanley 1983)."""


def confusion(samples: Sequence[Sample]) -> list[str]:
    """The table as lines: rows are what was done, columns what was said and counted."""
    rows = ["clean" if not one.expected else one.expected for one in samples]
    counts = Counter((row, _said(one)) for row, one in zip(rows, samples, strict=True))
    lines = [f"{'done / said':<12}" + "".join(f"{name:>12}" for name in _COLUMNS)]
    done = [row for row in (*SIGNALS_SEEN, "clean") if row in rows]
    return lines + [f"{row:<12}" + "".join(f"{counts[row, one] or '.':>12}" for one in _COLUMNS) for row in done]


def _said(sample: Sample) -> str:
    match sample.said:
        case ():
            return "nothing"
        case (one,):
            return one
        case _:
            return "several"


def figures(samples: Sequence[Sample], *, scored: bool) -> list[Figure]:
    """Precision, recall and times of every signal; goals are for what is scored."""
    found: list[Figure] = []
    for name in SIGNALS_SEEN:
        mine = [one for one in samples if one.expected == name]
        if not mine:
            continue
        right = sum(one.is_right for one in mine)
        said = [one for one in samples if name in one.said]
        true = sum(one.expected == name for one in said)
        found.append(_share(f"{name}: recall", right, len(mine), _RECALL, scored=scored))
        found.append(_share(f"{name}: precision", true, len(said), _PRECISION, scored=scored))
        times = [one.seen_s for one in mine if one.seen_s is not None]
        if times:
            limit_s, note = SIGNALS[f"camera.{name}"].within_s, f"median {percentile(times, 50):.2f}"
            note += f", p95 {percentile(times, 95):.2f}; hold of the signal included"
            worst = f"{name}: onset to signal, worst"
            found.append(
                at_most(worst, max(times), limit_s, "s", note) if scored else Figure(worst, max(times), "s", note=note)
            )
        clears = [one.clear_s for one in mine if one.clear_s is not None]
        if clears:
            note = f"median {percentile(clears, 50):.2f}, p95 {percentile(clears, 95):.2f}"
            found.append(Figure(f"{name}: end to signal over, worst", max(clears), "s", note=note))
    return found


def _share(name: str, good: int, all_of: int, goal: float, *, scored: bool) -> Figure:
    share = good / all_of if all_of else 0.0
    note = f"{good} of {all_of}"
    return at_least(name, share, goal, "", note) if scored and all_of else Figure(name, share, "", note=note)


def failures(samples: Sequence[Sample]) -> list[str]:
    """Each sample that went wrong, as a line."""
    lines = []
    for one in samples:
        if one.is_right and not one.wrong and not one.before and not one.after:
            continue
        when = "" if one.seen_s is None else f", seen after {one.seen_s:.2f} s"
        early = f", before it: {'+'.join(one.before)}" if one.before else ""
        late = f", still at the end: {'+'.join(one.after)}" if one.after else ""
        said = "+".join(one.said) or "nothing"
        lines.append(f"{one.footage}, {one.case} ({one.family}, seed {one.seed}): {said}{when}{early}{late}")
    return lines


def silence(heard: Sequence[Heard], samples: Sequence[Sample], goal_h: float) -> list[Figure]:
    """Hours without a fault, false alarms in them, and the bound on their rate."""
    hours = sum(one.seconds for one in heard) / 3600
    alarms = [alarm for one in heard for alarm in one.alarms]
    by = Counter("clips" if "." in one.footage else "drawn and scenes" for one in heard)
    by_note = ", ".join(f"{count} stretches of {name}" for name, count in sorted(by.items()))
    before = sum(len(one.before) for one in samples)
    return [
        at_least("clean video, distinct", hours, goal_h, "h", by_note),
        at_most("false alarms in it", len(alarms), 0, "", ", ".join(sorted({name for name, _ in alarms}))),
        Figure("false alarms an hour, bound at 95 %", (_RULE_OF_THREE + 2 * len(alarms)) / hours, "1/h", note="3 / T"),
        at_most("false alarms before a fault's onset", before, 0, "", f"{len(samples)} samples of 9 s"),
    ]
