"""The ledger at the agent's start: opened; one that is damaged is set aside whole, and what can be read goes on.

The new file is made whole beside the damaged one before that is renamed, so that a cut at any step loses nothing.
"""

import json
import logging
import time
from pathlib import Path
from typing import Final

from device.errors import LedgerDamaged, LedgerError, LedgerUnwritable, StartError
from device.session.clock import Instant
from device.session.ledger import Ledger
from device.session.ledger_files import PARTS, Epoch, beside, look, set_aside
from device.session.states import Fact
from wire.disk import sync_folder

_log = logging.getLogger(__name__)

_NEW: Final = ".new"
_ASIDE: Final = ".damaged-"


def open_ledger(path: Path, now: Instant) -> Ledger:
    """The ledger at `path`, a new one when there is none or it is damaged; then its newest row says so.

    Raises:
        StartError: neither can be had, because the folder cannot be written.
    """
    try:
        _finish(path)
        try:
            return Ledger.open(path)
        except LedgerDamaged as error:
            reason = str(error).removeprefix(f"{path}: ")
            _log.error("%s; it is set aside, and what can be read of it goes on in a new one", error)
        _begin_anew(path, reason, now)
        return Ledger.open(path)
    except (LedgerUnwritable, OSError) as error:
        raise StartError(f"{error}; check data_dir in kiosk.toml and that the disk is not full") from error
    except LedgerDamaged as error:
        raise StartError(f"{error}; a new ledger is damaged at once: replace the disk") from error


def _begin_anew(path: Path, reason: str, now: Instant) -> None:
    aside = f"{path.name}{_ASIDE}{time.time_ns()}"
    new = path.with_name(path.name + _NEW)
    for part in PARTS:
        new.with_name(new.name + part).unlink(missing_ok=True)  # half made by a start that was cut
    ledger = Ledger.open(new)
    try:
        last, rows = _take_over(ledger, path)
        told = {"file": aside, "reason": reason[:300], "epoch": last.name if last else None, "rows": rows}
        ledger.append([Fact("ledger.damaged", told, None, now)])
        _log.warning("%d rows go on in epoch %s; the damaged file is kept as %s", rows, ledger.epoch, aside)
    finally:
        ledger.close()
    set_aside(path, aside)
    _finish(path)


def _take_over(ledger: Ledger, damaged: Path) -> tuple[Epoch | None, int]:
    """Copy into `ledger` what can be read of `damaged`: rows that follow from each other, and what is beside."""
    last: Epoch | None = None
    rows = 0
    try:
        last = look(damaged, copy=True)[-1]
        ledger.go_on_from(last.name, last.pruned + 1, last.rows)
        rows = len(last.rows)
        facts, commands = beside(damaged)
        for key, value in facts.items():
            ledger.keep(key, json.loads(value))
        for command in commands:
            ledger.first_time(command)
    except LedgerUnwritable:
        raise
    except (LedgerError, OSError, IndexError, ValueError) as error:
        _log.error("%s: not all of it goes on: %s; the file is kept", damaged.name, error)
    return last, rows


def _finish(path: Path) -> None:
    """Put the new file in its place once the damaged one has left it."""
    new = path.with_name(path.name + _NEW)
    if path.exists() or not new.exists():
        return
    aside = max(path.parent.glob(f"{path.name}{_ASIDE}*[0-9]"), default=None)
    if aside is None:
        return
    for part in PARTS[1:]:  # left behind by a cut; beside the new file SQLite would take them for its own
        one = path.with_name(path.name + part)
        if one.exists():
            one.rename(aside.with_name(aside.name + part))
    new.rename(path)
    sync_folder(path.parent)
