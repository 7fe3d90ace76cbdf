"""`carrel-lab demo`: what is refused, and in which words."""

import socket
import subprocess
import sys

import pytest


def lab(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lab.cli", "demo", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--kiosks", "0"), "between 1 and 50 kiosks"),
        (("--kiosks", "many"), "between 1 and 50 kiosks"),
        (("--port", "70000"), "write a number from 0 to 65535"),
        (("--front", "webcam"), "scene:desk or scene:student"),
        (("--overhead", "scene:moon"), "scene:desk or scene:student"),
        (("--unknown",), "unrecognized arguments: --unknown"),
    ],
)
def test_a_wrong_argument_is_explained(arguments: tuple[str, ...], words: str) -> None:
    done = lab(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""


def test_a_taken_port_is_named_with_another_to_choose() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = lab("--port", str(port))
    assert done.returncode == 1
    assert f"port {port} is taken; choose another: carrel-lab demo --port {port + 1}" in done.stderr
