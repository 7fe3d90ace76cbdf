"""The kiosk's certificate, key and authorities: there, closed to others, fitting each other, and for how long."""

import grp
import os
import pwd
import ssl
import stat
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from device.doctor.rows import Row, attention, blocked, ok
from device.netcheck.x509 import Paper, first_of
from device.settings import Settings

SOON: Final = timedelta(days=30)
_WHO_READS: Final = "Give it back to the agent: chown root:carrel, chmod 0640; run the doctor with sudo."


def look_at_papers(settings: Settings, now: datetime) -> list[Row]:
    """Every file that the link and the upload name; `now` is aware."""
    of = settings.link
    rows = [_paper("authority", path, now) for path in dict.fromkeys((of.ca, settings.upload.ca)) if path]
    if of.certificate is None and of.key is None:
        says = "no certificate and no key are named: whoever reaches the broker is anybody"
        return [*rows, attention("certificate", "[link]", says, "Enrol this kiosk, or set certificate and key.")]
    if of.certificate is None or of.key is None:
        says = "only one of certificate and key is named"
        return [*rows, blocked("certificate", "[link]", says, "Name both, or neither, in kiosk.toml.")]
    rows += [_paper("certificate", of.certificate, now), _key(of.key)]
    if of.certificate.is_file() and of.key.is_file():
        rows += _fit(of.certificate, of.key)
    return rows


def _paper(name: str, path: Path, now: datetime) -> Row:
    try:
        paper = first_of(path.read_bytes())
    except FileNotFoundError:
        says = "is not there" if name == "authority" else "is not there: this kiosk is not enrolled"
        return blocked(name, str(path), says, "Apply the kiosk's bundle and let it enrol.")
    except OSError as error:
        return blocked(name, str(path), f"cannot be read ({error.strerror})", _WHO_READS)
    except ValueError as error:
        return blocked(name, str(path), str(error), "Put the file from the kiosk's bundle there.")
    return _valid(name, path, paper, now)


def _valid(name: str, path: Path, paper: Paper, now: datetime) -> Row:
    days = (paper.not_after - now).days
    says = f"{paper.subject}, signed by {paper.issuer}, until {paper.not_after:%Y-%m-%d}"
    facts = {"not_after": paper.not_after.isoformat(), "days": days}
    if now >= paper.not_after:
        return blocked(name, str(path), f"{says}: it has run out", "Renew it, or enrol the kiosk anew.", **facts)
    if now < paper.not_before:
        return blocked(name, str(path), f"valid only from {paper.not_before:%Y-%m-%d} on", "Look at the clock first.")
    if paper.not_after - now < SOON:
        return attention(name, str(path), f"{says}: {days} days", "See why it is not renewed by itself.", **facts)
    return ok(name, str(path), says, **facts)


def _key(path: Path) -> Row:
    try:
        found = path.stat()
    except FileNotFoundError:
        return blocked("key", str(path), "is not there: this kiosk is not enrolled", "Let the kiosk enrol.")
    except OSError as error:
        return blocked("key", str(path), f"cannot be looked at ({error.strerror})", _WHO_READS)
    mode = stat.S_IMODE(found.st_mode)
    says = f"mode {mode:04o}, {_user(found.st_uid)}:{_group(found.st_gid)}"
    if mode & (stat.S_IRWXO | stat.S_IWGRP):
        do = "Whoever could read it can be this kiosk: chmod 0640, then renew the certificate."
        return blocked("key", str(path), f"{says}: others than the agent may use it", do, mode=f"{mode:04o}")
    if not os.access(path, os.R_OK):
        return blocked("key", str(path), f"{says}: cannot be read here", _WHO_READS, mode=f"{mode:04o}")
    return ok("key", str(path), says, mode=f"{mode:04o}")


def _fit(certificate: Path, key: Path) -> list[Row]:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password=lambda: "")
    except ssl.SSLError as error:
        says = f"it and {certificate} do not belong together ({error.reason or 'no key in it'})"
        return [blocked("key", str(key), says, "Put both back from the same enrolment, or enrol anew.")]
    except OSError:
        return []  # the row of the file that cannot be read says so
    return []


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
