"""NetworkManager's and cloud-init's own programs, asked what they make of what provisioning wrote."""

import os
import re
import subprocess
from pathlib import Path

from tests.conftest import FOREIGN

ENVIRONMENT = {"PATH": f"{os.environ['PATH']}:{FOREIGN}", "LC_ALL": "C.UTF-8"}
_ESCAPED = {"s": " ", "n": "\n", "r": "\r", "t": "\t", "\\": "\\"}


def networkmanager_reads(keyfile: str) -> dict[str, dict[str, str]]:
    """What NetworkManager understood: it reads the profile, checks it, and writes it anew."""
    done = subprocess.run(
        ["nmcli", "--offline", "connection", "modify", "connection.zone", "judged"],
        input=keyfile.encode(), env=ENVIRONMENT, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    read: dict[str, dict[str, str]] = {}
    for line in filter(None, done.stdout.decode().split("\n")):
        if heading := re.fullmatch(r"\[(.+)\]", line):
            section = read.setdefault(heading[1], {})
        else:
            key, _, value = line.partition("=")
            assert key not in section, line
            section[key] = _unescaped(value)
    assert read["connection"]["zone"] == "judged"
    return read


def cloud_init_says(user_data: Path) -> str:
    """cloud-init's verdict by its own schema."""
    done = subprocess.run(
        ["cloud-init", "schema", "--config-file", str(user_data)],
        env=ENVIRONMENT, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    return (done.stdout + done.stderr).decode()


def ssid_of(profile: dict[str, dict[str, str]]) -> bytes:
    """The network's name: NetworkManager writes it as text where it can, else as numbers."""
    told = profile["wifi"]["ssid"]
    if re.fullmatch(r"(?:[0-9]+;)+", told):
        return bytes(int(one) for one in told.rstrip(";").split(";"))
    return told.replace("\\;", ";").encode()


def _unescaped(value: str) -> str:
    return re.sub(r"\\([snrt\\])", lambda found: _ESCAPED[found[1]], value)
