"""Authorities and certificates made on the spot, and a broker that goes by them."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from provisioning.broker import rules
from tests.broker import Mosquitto, free_port, running_mosquitto

RIGHTS = Path(__file__).with_name("rights")
HERE = "IP:127.0.0.1,DNS:localhost"
_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def authority(folder: Path, name: str) -> None:
    openssl(folder, "req", "-x509", *_CURVE, "-days", "2", "-keyout", f"{name}.key", "-out", f"{name}.pem",
            "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip


def paper(
    folder: Path, name: str, by: str = "ours", *, common_name: str | None = None, names: str = HERE, days: int = 2
) -> None:
    """`name`.pem and `name`.key; with `days` 0 it is over as soon as it is made."""
    openssl(folder, "req", *_CURVE, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj",
            f"/CN={common_name or name}")  # fmt: skip
    (folder / f"{name}.san").write_text(f"subjectAltName={names}\n")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key",
            "-CAcreateserial", "-days", str(days), "-extfile", f"{name}.san", "-out", f"{name}.pem")  # fmt: skip


@contextmanager
def broker_with_rights(
    papers: Path, *, without: Sequence[str] = (), certificate: str = "broker"
) -> Iterator[Mosquitto]:
    """A broker with one door and the rights that provisioning writes; `without` leaves out lines that begin so."""
    acl = papers / "written.acl"
    # All on one door here, where the fleet is known by its CN alone.
    fleet = rules.fleet_acl("+").replace(rules.FLEET_SUBJECT, rules.FLEET_NAME)
    acl.write_text(fleet + rules.kiosks_acl("+", ()))
    told = (RIGHTS / "mosquitto.conf").read_text().format(
        port=(port := free_port()), address="127.0.0.1", protocol="mqtt", ca=papers / "ours.pem",
        certificate=papers / f"{certificate}.pem", key=papers / f"{certificate}.key", acl=acl,
    )  # fmt: skip
    lines = [line for line in told.splitlines() if not line.startswith(tuple(without) or "\0")]
    with running_mosquitto(*lines, anonymous=False) as broker:
        broker.port = port
        yield broker
