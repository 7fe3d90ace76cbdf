"""A child process that is stopped at each of its system calls, to be killed before the Nth write or to have it fail.

By ptrace(2), because Python sees nothing of the writes and syncs that SQLite makes. Only what touches files counts:
standard output and errors, and the pipe on which the child says what it promised, do not.
"""

import ctypes
import errno
import os
import platform
import signal
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_CALLS: Final = {
    "x86_64": {
        1: "write", 18: "write", 20: "write", 74: "fsync", 75: "fsync", 76: "truncate", 77: "truncate", 82: "rename",
        264: "rename", 316: "rename", 87: "unlink", 263: "unlink", 285: "allocate", 17: "read",
    },
    "aarch64": {
        64: "write", 66: "write", 68: "write", 82: "fsync", 83: "fsync", 45: "truncate", 46: "truncate", 38: "rename",
        276: "rename", 35: "unlink", 47: "allocate", 67: "read",
    },
}  # fmt: skip
"""Numbers by machine, from the kernel's own tables."""
_BY_NAME: Final = {"rename", "unlink"}
"""Their first argument is no file's number."""
_TRACEME, _POKEUSER, _SYSCALL, _SETOPTIONS, _GET_SYSCALL_INFO = 0, 6, 24, 0x4200, 0x420E
_SYSGOOD, _EXITKILL = 1, 0x100000
_STOPPED: Final = signal.SIGTRAP | 0x80
_ENTRY: Final = 1
_X86_ORIG_RAX, _X86_RAX = 15 * 8, 10 * 8
_INFO_BYTES: Final = 88
WRITES: Final = frozenset({"write", "fsync", "truncate", "rename", "unlink", "allocate"})
READS: Final = frozenset({"read"})

_libc: Final = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens at which call, counted from 1; nothing happens at 0."""

    at: int = 0
    error: int | None = None
    """None kills; else the call fails with this errno and is not done."""
    calls: int = 1
    """So many calls in a row fail."""
    kinds: frozenset[str] = WRITES


@dataclass(frozen=True, slots=True)
class Ended:
    """How the child ended, and what it did."""

    killed: bool
    status: int
    seen: dict[str, int]
    """Calls by kind."""
    said: list[str]

    @property
    def points(self) -> int:
        """How many calls wrote."""
        return sum(count for kind, count in self.seen.items() if kind in WRITES)


def trouble() -> str | None:
    """Why nothing can be traced here; None when it can."""
    if platform.machine() not in _CALLS:
        return f"no table of system calls for {platform.machine()}"
    try:
        run(lambda _say: None, Fault())
    except OSError as error:
        return f"this machine lets no process be traced: {error.strerror}"
    return None


def run(work: Callable[[Callable[[str], None]], None], fault: Fault) -> Ended:
    """Run `work` in a child under `fault`; it is given a function that says a line to us."""
    hears, says = os.pipe()
    os.set_inheritable(says, True)  # noqa: FBT003  # reads as a sentence
    child = os.fork()
    if child == 0:
        _be_traced(work, says)
    os.close(says)
    try:
        killed, status, seen = _trace(child, says, fault)
        with os.fdopen(hears, "rb", closefd=False) as file:
            said = file.read().decode().splitlines()
    finally:
        os.close(hears)
    return Ended(killed, status, seen, said)


def _be_traced(work: Callable[[Callable[[str], None]], None], says: int) -> None:
    code = 70
    try:
        _ptrace(_TRACEME, 0, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        work(lambda line: _say(says, line))
        code = 0
    except BaseException as error:  # noqa: BLE001  # a child of fork must never return into its parent's program
        _say(says, f"failed {type(error).__name__}: {error}")
    finally:
        os._exit(code)


def _say(says: int, line: str) -> None:
    os.write(says, f"{line}\n".encode())


def _trace(child: int, says: int, fault: Fault) -> tuple[bool, int, dict[str, int]]:
    table = _CALLS[platform.machine()]
    seen: dict[str, int] = {}
    os.waitpid(child, 0)
    _ptrace(_SETOPTIONS, child, 0, _SYSGOOD | _EXITKILL)
    deliver, count, failing = 0, 0, False
    buffer = ctypes.create_string_buffer(_INFO_BYTES)
    while True:
        _ptrace(_SYSCALL, child, 0, deliver)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            return os.WIFSIGNALED(status), os.waitstatus_to_exitcode(status), seen
        deliver = 0
        if os.WSTOPSIG(status) != _STOPPED:
            deliver = os.WSTOPSIG(status)
            continue
        _ptrace(_GET_SYSCALL_INFO, child, _INFO_BYTES, ctypes.addressof(buffer))
        if buffer.raw[0] != _ENTRY:
            if failing:
                _poke(child, _X86_RAX, -(fault.error or 0))
                failing = False
            continue
        number, first = struct.unpack_from("QQ", buffer.raw, 24)
        kind = table.get(number)
        if kind is None or (kind not in _BY_NAME and (first <= 2 or first == says)):
            continue
        seen[kind] = seen.get(kind, 0) + 1
        count += kind in fault.kinds
        if not fault.at or kind not in fault.kinds or not fault.at <= count < fault.at + fault.calls:
            continue
        if fault.error is None:
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            return True, os.waitstatus_to_exitcode(status), seen
        _poke(child, _X86_ORIG_RAX, -1)  # no such call: nothing is done
        failing = True


def can_fail_calls() -> bool:
    """Whether the registers of this machine are known, which it takes to let a call fail."""
    return platform.machine() == "x86_64"


def _poke(child: int, offset: int, value: int) -> None:
    _ptrace(_POKEUSER, child, offset, value & 0xFFFFFFFFFFFFFFFF)


def _ptrace(request: int, pid: int, address: int, data: int) -> None:
    if _libc.ptrace(request, pid, address, data) < 0:
        number = ctypes.get_errno()
        if number != errno.ESRCH:
            raise OSError(number, f"{os.strerror(number)} (ptrace)")
