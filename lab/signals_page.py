"""docs/it/troubleshooting.md, made of the signal table: python -m lab.signals_page, or with --check look only."""

import argparse
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from wire.signal_table import SIGNALS
from wire.signals import Severity, Signal

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "it" / "troubleshooting.md"

_HEAD: Final = """# Troubleshooting by signal

<!-- Made of wire/signal_table.py by `make it-docs`; edit the table, not this page. -->

Every fault that a kiosk finds has a name. It stands on the board, on the kiosk's page, in incidents and notices, and in
`carrel-kiosk state --config kiosk.toml` under `readiness`, with its evidence. Look it up here. A signal that is not
listed is newer than this page. What the kiosk tries by itself is tried first; its outcome stands in the evidence
as `remedy`.

| severity | means |
|---|---|
| blocked | a session would fail: act now |
| attention | a session works, something is wrong: act today |
| info | worth knowing: nothing to do while it stays alone |
"""

_AREAS: Final = {
    "camera": (
        "Cameras",
        "Stop the agent and run `carrel-kiosk selftest`: it opens both cameras and prints real figures.",
    ),
    "mat": ("Desk mat", "`carrel-kiosk commission` says how to turn the camera until the mat is seen."),
    "audio": (
        "Sound",
        "`lsusb` and the USB ids under `[audio]` in `kiosk.toml`; `carrel-kiosk selftest` lists what is found.",
    ),
    "link": (
        "Network",
        "`carrel-kiosk netcheck` looks at each step; [firewall.md](firewall.md) says what its answers mean.",
    ),
    "clock": (
        "Clock",
        "`timedatectl timesync-status`, and `time` in `carrel-kiosk state`: the source, and how far it is off.",
    ),
    "storage": (
        "Storage",
        "`df -h` and `df -i` of `data_dir`, `dmesg` for errors of the card, the wear among the vitals.",
    ),
    "power": ("Power", "`vcgencmd get_throttled`; the supply is the kiosk's own, plugged into a wall socket."),
    "heat": ("Heat", "`vcgencmd measure_temp`; the fan turns, and nothing lies on the case."),
    "button": (
        "Button",
        "Unplug the lead at the Pi: if the signal clears, lead or button are at fault, if not, the pin.",
    ),
    "lamp": ("Camera lamp", "Wiring of the camera lamp (hardware/drawings/wiring.svg), then `carrel-kiosk selftest`."),
    "certificate": (
        "Certificate",
        "`openssl x509 -noout -enddate -in` the file named by `certificate` under `[link]`.",
    ),
    "software": (
        "Software",
        "The version is in `carrel-kiosk state`; it changes outside sessions, in the campus window.",
    ),
    "backlog": (
        "Backlog",
        "`carrel-kiosk netcheck`, then the fleet's ingest: nothing is lost, all of it waits on the kiosk.",
    ),
    "session": ("Session", "Nothing is broken: ask the room's point person."),
    "therapist": ("Therapist", "Nothing is broken here: ask the therapist, then look at their network."),
    "agent": ("Agent", "The agent's log, with the last lines before each restart."),
    "schedule": ("Schedule", "The fleet's ingest; other kiosks of this campus have it too if the fleet is at fault."),
}
"""By what a signal's id begins with: its heading, and where to look first."""

_SEVERITIES: Final = {Severity.BLOCKED: "blocked", Severity.ATTENTION: "attention", Severity.INFO: "info"}
_DAY_S: Final = 86_400
_HOUR_S: Final = 3_600


def page() -> str:
    """The whole page, in the table's order.

    Raises:
        KeyError: a signal's id begins with a word that `_AREAS` does not have.
    """
    blocks = [_HEAD]
    for area, rows in groupby(SIGNALS.values(), lambda row: row.id.partition(".")[0]):
        heading, first = _AREAS[area]
        blocks.append(f"## {heading}\n\n{first}\n")
        blocks += [_entry(row) for row in rows]
    return "\n".join(blocks)


def _entry(row: Signal) -> str:
    facts = [
        ("what is so", f"{row.true_when}; seen within {_time(row.within_s)}, held for {_time(row.hold_s)}"),
        ("the evidence says", row.it),
        ("the kiosk tries", row.remedy or "nothing"),
        ("the aide reads", row.aide),
        ("the therapist reads", row.therapist),
    ]
    for_each = ", for each camera" if row.per_role else ""
    lines = [f"### {row.id}", "", f"| {_SEVERITIES[row.severity]}{for_each} | |", "|---|---|"]
    lines += [f"| {name} | {says.replace('{camera}', 'desk camera')} |" for name, says in facts]
    return "\n".join([*lines, ""])


def _time(seconds: float) -> str:
    if seconds >= _DAY_S:
        return f"{seconds / _DAY_S:g} d"
    return f"{seconds / _HOUR_S:g} h" if seconds >= _HOUR_S else f"{seconds:g} s"


def main(argv: Sequence[str] | None = None) -> None:
    """Write or check the page."""
    parser = argparse.ArgumentParser(
        prog="python -m lab.signals_page", description="The page of signals for campus IT."
    )
    parser.add_argument("-o", "--output", type=Path, default=PAGE, help="the page (%(default)s)")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if it is not what the table gives")
    asked = parser.parse_args(argv)
    if asked.check:
        if not asked.output.is_file() or asked.output.read_text(encoding="utf-8") != page():
            sys.exit(f"{asked.output} is not what wire/signal_table.py gives. Type  make it-docs  and read it.")
        return
    try:
        asked.output.write_text(page(), encoding="utf-8")
    except OSError as error:
        parser.error(
            f"{asked.output} cannot be written: {error.strerror}. Name a file in a folder that you may write to."
        )


if __name__ == "__main__":
    main()
