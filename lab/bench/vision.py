"""`python -m lab.bench.vision`: what the picture checks say of faults whose truth is known, and of hours without any.

Scenes and drawn places are for development, clips of the media folder (`--media`, else `$CARREL_MEDIA`, else
`../shared/media`) are scored. What they showed all the same, and what was changed after it, stands in docs/figures.md.
"""

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

import cv2

from device.cameras.eyes import Eyes
from device.cameras.source import ROLES, Frame
from device.kit import kit
from lab.bench.figures import Figure, Results, at_most, median
from lab.bench.vision_clean import Heard, listen, stretches
from lab.bench.vision_faults import cases
from lab.bench.vision_footage import Footage, Split, development, media_folder, scored
from lab.bench.vision_mat import Placed, place
from lab.bench.vision_tables import confusion, failures, figures, silence
from lab.bench.vision_timeline import Sample, run

T = TypeVar("T")
J = TypeVar("J")

_CLEAN_S: Final = 36_000.0
_QUICK_CLEAN_S: Final = 900.0
_SEEDS: Final = (0, 1)
_VIEWS: Final = 60
_S: Final = 1_000_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class Job:
    """All that is done to one footage with one seed."""

    footage: Footage
    seed: int
    every: int
    """1 for every case; the lab's own faults are always among them."""

    def __call__(self) -> list[Sample]:
        """Run it."""
        chosen = [one for at, one in enumerate(cases(self.footage.role)) if at % self.every == 0 or one.family == "lab"]
        return [run(self.footage, case, self.seed) for case in chosen]


def main() -> int:
    """Print the figures; 0 even when a goal is missed, because a missed goal is a result."""
    parser = argparse.ArgumentParser(prog="make bench-vision", description=__doc__)
    parser.add_argument("--media", type=Path, help="a folder of clips and stills named front-... and overhead-...")
    parser.add_argument("--quick", action="store_true", help="under two minutes: a third of the faults, one seed")
    parser.add_argument("--no-development", action="store_true", help="only what is scored")
    parser.add_argument("--json", type=Path, help="everything, for a program to read")
    parser.add_argument("--results", type=Path, default=Path("bench-results"))
    args = parser.parse_args()
    folder = args.media or media_folder()
    if folder is not None and not folder.is_dir():
        parser.error(f"{folder} is no folder; name one that holds clips, such as front-room.mp4 and overhead-desk.mp4")
    began_s = time.monotonic()
    to_score, to_develop = scored(folder), [] if args.no_development else development()
    if args.quick:
        to_develop = to_develop[:2]
    _say(f"development: {_names(to_develop)}", f"scored: {_names(to_score)}")
    seeds, every = (_SEEDS[:1], 3) if args.quick else (_SEEDS, 1)
    with ProcessPoolExecutor(initializer=_worker) as pool:
        jobs = [Job(footage, seed, every) for footage in to_score + to_develop for seed in seeds]
        samples = [one for some in pool.map(_call, jobs) for one in some]
        _say(f"{len(samples)} samples after {time.monotonic() - began_s:.0f} s; clean hours and mats follow")
        sources = to_score + development()
        heard = _all(pool, listen, stretches(sources, _QUICK_CLEAN_S if args.quick else _CLEAN_S))
        placed = _all(pool, place, range(_VIEWS // 6 if args.quick else _VIEWS))
    results = Results(args.results)
    results_of(samples, heard, placed, results)
    _cost(to_score or development()[:2], 20 if args.quick else 60, results)
    met = results.close()
    body = {
        "samples": [dataclasses.asdict(one) for one in samples],
        "clean": [dataclasses.asdict(one) for one in heard],
        "mat": [dataclasses.asdict(one) for one in placed],
    }
    (args.results / "vision.json").write_text(json.dumps(body, default=float) + "\n")
    if args.json is not None:
        everything = body | {"figures": json.loads((args.results / "figures.json").read_text())}
        args.json.write_text(json.dumps(everything, default=float) + "\n")
    _say("", f"{'Every goal met' if met else 'A goal was missed'}; {time.monotonic() - began_s:.0f} s; "
         f"samples in {args.results}/vision.json")  # fmt: skip
    return 0


def results_of(samples: Sequence[Sample], heard: Sequence[Heard], placed: Sequence[Placed], results: Results) -> None:
    """Print the tables and the figures."""
    for split in (Split.DEVELOPMENT, Split.SCORED):
        mine = [one for one in samples if one.split == split]
        if not mine:
            continue
        _say("", f"{split}: {len(mine)} samples", *confusion(mine), "")
        for figure in figures(mine, scored=split is Split.SCORED):
            results.add(dataclasses.replace(figure, name=f"{split}, {figure.name}"))
        if wrong := failures(mine):
            _say("", f"{split}: what went wrong", *(f"  {line}" for line in wrong))
    _say("")
    for figure in silence(heard, samples, 10.0 if len(heard) > 100 else 0.0):
        results.add(figure)
    for one in heard:
        for name, at_s in one.alarms:
            _say(f"  {one.footage}, seed {one.seed}: {name} at {at_s:.1f} s: {one.evidence.get(name)}")
    _mat(placed, results)


def _mat(placed: Sequence[Placed], results: Results) -> None:
    corners = [one.corners_px for one in placed if one.corners_px is not None]
    scales = [one.scale for one in placed if one.scale is not None]
    small = [one.small_scale for one in placed if one.small_scale is not None]
    for name, found, limit, unit in (
        ("worksheet corners at 1080p, worst", corners, 2.0, "px"),
        ("px per mm, worst error", [100 * one for one in scales], 1.0, "%"),
        ("px per mm by the small copy, worst error", [100 * one for one in small], 1.0, "%"),
    ):
        if found:
            note = (
                f"median {median(found):.3f}, {len(found)} of {len(placed)} views, tilt to 25 degrees, arms over 0 to 2"
            )
            results.add(at_most(name, max(found), limit, unit, note))
        else:
            results.add(Figure(name, float("nan"), unit, ok=False, note="never placed"))


def _cost(sources: Sequence[Footage], looks: int, results: Results) -> None:
    """CPU time of both cameras at one look a second: the median look of each clip, its mat looked for too."""
    cv2.setNumThreads(1)
    total, notes = 0.0, []
    for role in ROLES:
        mine = [one for one in sources if one.role == role]
        if not mine:
            return
        medians = [median(_look_times_s(one, looks)) for one in mine]
        total += max(medians)
        notes.append(f"{role} {1e3 * min(medians):.1f} to {1e3 * max(medians):.1f} ms")
    results.add(at_most("both cameras looked at once a second", 100 * total, 2.0, "% of a core", "; ".join(notes)))


def _look_times_s(footage: Footage, looks: int) -> list[float]:
    pictures, eyes, times = footage.pictures(), Eyes(footage.role, kit().mat.plain), []
    for second in range(1, looks + 1):
        frame = Frame(pictures(float(second)), second * _S)
        before_s = time.process_time()
        eyes.look(frame, second * _S)
        times.append(time.process_time() - before_s)
    return times


def _worker() -> None:
    cv2.setNumThreads(1)


def _call(job: Job) -> list[Sample]:
    return job()


def _all(pool: ProcessPoolExecutor, work: Callable[[J], T], jobs: Iterable[J]) -> list[T]:
    return list(pool.map(work, jobs))


def _names(sources: Sequence[Footage]) -> str:
    return ", ".join(one.name for one in sources) or "nothing"


def _say(*lines: Any) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
