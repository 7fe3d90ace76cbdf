"""A campus's authority that answers on its socket, in a process of its own: `carrel-provision ca serve`."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.district import District


@contextmanager
def serving(district: District, folder: Path, campus: str = "lincoln") -> Iterator[Path]:
    """The socket, which answers."""
    path = folder / f"{campus}.sock"
    command = [sys.executable, "-m", "provisioning.cli", "ca", "serve", "--folder", str(district.folder / campus)]
    with (folder / "ca.log").open("ab") as log:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command, "--socket", str(path)], stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + 60
        while "answers at" not in (folder / "ca.log").read_text():
            assert process.poll() is None, (folder / "ca.log").read_text()
            assert time.monotonic() < deadline, (folder / "ca.log").read_text()
            time.sleep(0.03)
        yield path
    finally:
        process.terminate()
        process.wait(30)
