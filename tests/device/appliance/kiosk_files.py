"""A kiosk.toml of two scenes without a link, and the program that reads it, as a process."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

TOML = """
data_dir = "{folder}/data"
[kiosk]
id = "lincoln-12"
campus = "lincoln"
[link]
urls = ["mqtts://127.0.0.1:1"]
[screen]
port = {port}
[cameras]
idle = "closed"
[cameras.overhead]
uri = "scene:desk"
width = 320
height = 180
fps = 10
[cameras.front]
uri = "scene:student"
width = 320
height = 180
fps = 10
"""


def toml(folder: Path, port: int) -> str:
    """What stands in a kiosk.toml that can be used."""
    return TOML.format(folder=folder, port=port)


@contextlib.contextmanager
def running(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """`carrel-kiosk` with `arguments`, told to stop in the end."""
    command = [sys.executable, "-m", "device.cli", *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment})
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)
