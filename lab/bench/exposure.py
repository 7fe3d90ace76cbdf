"""What systemd-analyze makes of the kiosk's units: 0 reaches nothing, 10 everything. No systemd has to run for it."""

import re
import shutil
import subprocess
from importlib.resources import as_file, files
from typing import Final

from lab.bench.figures import Figure, Results, at_most

LIMITS: Final = {
    "carrel-kiosk.service": 2.0, "carrel-waiting.service": 2.0, "carrel-screen-nightly.service": 2.0,
    "carrel-enrol.service": 2.0, "carrel-screen.service": 3.0,
}  # fmt: skip


def measure(results: Results) -> None:
    """One figure for each service that a kiosk has."""
    tool = shutil.which("systemd-analyze")
    if tool is None:
        results.add(Figure("exposure of units", float("nan"), "", note="systemd-analyze is not installed"))
        return
    with as_file(files("device.appliance").joinpath("root/usr/lib/systemd/system")) as units:
        for name, limit in LIMITS.items():
            done = subprocess.run(
                [tool, "security", "--offline=true", "--no-pager", str(units / name)],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            found = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
            assert found is not None, done.stdout
            results.add(at_most(f"exposure of {name}", float(found[1]), limit, ""))
