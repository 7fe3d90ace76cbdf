"""Children of the lab: each in a process group of its own, and none outlives the lab, however it dies."""

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_log = logging.getLogger(__name__)
_libc = ctypes.CDLL(None, use_errno=True)


class Child:
    """One process with its group."""

    def __init__(self, command: Sequence[str], *, log: Path, orders: bool = False) -> None:
        """Start it.

        Args:
            command: what to run.
            log: where its standard error and output go, appended.
            orders: whether it takes orders on standard input.
        """
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if orders else subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  # the lab starts children from its only thread
            )

    @property
    def pid(self) -> int:
        """Its process id, which is its group's as well."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def order(self, line: bytes) -> None:
        """Write one order; raises OSError when nobody reads any more."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        """SIGKILL the whole group: what a pulled plug looks like from inside."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._close()

    async def stop(self, within_s: float) -> None:
        """Ask it to end; kill the group when it has not within the time."""
        if self.running:
            self._process.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.ended()
        self.kill()  # whatever of the group is left

    async def ended(self) -> int:
        """Wait for its end; the exit code."""
        while (code := self._process.poll()) is None:  # noqa: ASYNC110  # a child's end raises no event here
            await asyncio.sleep(0.05)
        return code

    def _close(self) -> None:
        if self._process.stdin and not self._process.stdin.closed:
            with contextlib.suppress(OSError):
                self._process.stdin.close()


class Kept:
    """A child that is started again when it dies by itself, as systemd would."""

    def __init__(self, spawn: Callable[[], Child], pause_s: float) -> None:
        """Start it by `spawn`, and again `pause_s` after each death."""
        self._spawn, self._pause_s = spawn, pause_s
        self._child = spawn()
        self._watching = asyncio.ensure_future(self._watch())

    @property
    def pid(self) -> int:
        """The present process."""
        return self._child.pid

    async def stop(self, within_s: float) -> None:
        """End it for good."""
        self._watching.cancel()
        await self._child.stop(within_s)

    async def _watch(self) -> None:
        while True:
            code = await self._child.ended()
            _log.warning("process %d ended with %d; again in %.0f s", self.pid, code, self._pause_s)
            self._child.kill()
            await asyncio.sleep(self._pause_s)
            self._child = self._spawn()


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
