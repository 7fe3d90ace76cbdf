"""Debian's own OpenCV lacks what the wheel adds for type checkers (`cv2.typing`); on a Pi there is no other."""

import subprocess
import sys
from pkgutil import iter_modules

import pytest

from device import vision

MODULES = [*sorted(f"device.vision.{one.name}" for one in iter_modules(vision.__path__)), "device.cameras.eyes"]


@pytest.mark.parametrize("name", MODULES)
def test_it_is_imported_without_the_wheels_types(name: str) -> None:
    words = f"import sys, cv2; vars(cv2).pop('typing', None); sys.modules.pop('cv2.typing', None); import {name}"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
