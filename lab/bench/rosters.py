"""From a roster to the register, to signed bundles and to labels: what a district's administrator waits for."""

import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from lab.bench.figures import Results, at_most, median

_CAMPUS = """
campus = "lincoln"
fleet_url = "https://fleet.district.example"
urls = ["mqtts://fleet.district.example:8883"]

[cameras]
overhead = "picamera2:a"
front = "picamera2:b"

[networks.classroom]
medium = "wifi"
ssid = "Classroom"
security = "wpa3-personal"
secret = "classroom"
"""


@dataclass(frozen=True, slots=True)
class _Took:
    """How long a command ran, and what it asked of the processor, which a busy machine changes less."""

    wall_s: float
    cpu_s: float

    def __add__(self, other: "_Took") -> "_Took":
        return _Took(self.wall_s + other.wall_s, self.cpu_s + other.cpu_s)


def measure(results: Results, folder: Path, many: int, rounds: int) -> None:
    """A hundred kiosks and `many`, each command a process of its own as an administrator starts it."""
    small, entering, making = [], [], []
    for number in range(rounds):
        planned, applied, bundles, labels = _round(folder / f"small-{number}", 100)
        small.append(planned + applied + bundles + labels)
        planned, applied, bundles, labels = _round(folder / f"large-{number}", many)
        entering.append(planned + applied)
        making.append(bundles + labels)
    _tell(results, "roster of 100 to bundles and labels", small, 5)
    _tell(results, f"roster of {many}: plan and apply", entering, 10)
    _tell(results, f"roster of {many}: bundles and labels", making, 60)


def _tell(results: Results, name: str, took: list[_Took], limit_s: float) -> None:
    results.samples(name.replace(":", "").replace(" ", "-"), "s", [one.wall_s for one in took])
    cpu = median([one.cpu_s for one in took])
    results.add(at_most(name, median([one.wall_s for one in took]), limit_s, "s", f"  {cpu:.1f} s of processor"))


def _round(folder: Path, many: int) -> tuple[_Took, _Took, _Took, _Took]:
    """What roster plan, roster apply, bundle make and labels took."""
    folder.mkdir(parents=True)
    rows = (
        f"lincoln,lincoln-{n:05},Room {n},A-{n:05},{0x10000000 << 32 | n:016x},"
        f"2c:cf:67:{n >> 16:02x}:{n >> 8 & 255:02x}:{n & 255:02x},classroom\n"
        for n in range(many)
    )
    (folder / "devices.csv").write_text("campus,kiosk,room,asset,serial,mac,network\n" + "".join(rows))
    (folder / "lincoln.toml").write_text(_CAMPUS)
    (folder / "secrets.toml").write_text('[secrets]\nclassroom = "correct horse battery"\n')
    (folder / "secrets.toml").chmod(0o600)

    def run(*arguments: str) -> _Took:
        begun, before = time.perf_counter(), _cpu_s()
        subprocess.run(
            [sys.executable, "-m", "provisioning.cli", *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return _Took(time.perf_counter() - begun, _cpu_s() - before)

    run("campus", "init", "lincoln", "--name", "Lincoln", "--time-zone", "America/Chicago")
    run("bundle", "key", "lincoln.key")
    return (
        run("roster", "plan", "devices.csv"),
        run("roster", "apply", "devices.csv"),
        run("bundle", "make", "lincoln.toml", "--key", "lincoln.key", "--secrets", "secrets.toml", "--out", "cards"),
        run("labels", "lincoln.toml", "-o", "labels.pdf"),
    )


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
