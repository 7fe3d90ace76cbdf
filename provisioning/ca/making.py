"""Making authorities: the root, which then lies in a safe, and those below it."""

from datetime import datetime
from pathlib import Path

from provisioning.ca import authority, files, issue, profile
from provisioning.ca.authority import Authority
from provisioning.errors import AuthorityUnusable, RequestRefused
from wire.ids import is_id

ROOT_KEY = "root.key"


def make_root(folder: Path, district: str, now: datetime, passphrase: bytes | None) -> None:
    """A district's root in `folder`: for a stick that lies in a safe. Raises `AuthorityUnusable` where there is one."""
    if not 1 <= len(district) <= 40 or not district.isprintable():
        raise RequestRefused(f"{district[:60]!r}: the district's name is 1 to 40 printable characters")
    key = issue.new_key()
    made = issue.root(key, district, now)
    files.write(folder / ROOT_KEY, files.key_bytes(key, passphrase), files.PRIVATE, only_new=True)
    files.write(folder / authority.ROOT, files.pem(made))
    files.write(folder / authority.ROOT_CRL, files.pem(issue.crl(made, key, [], 1, now)))


def make_authority(root: Path, folder: Path, name: str, now: datetime, passphrase: bytes | None) -> None:
    """The authority called `name`, a campus's id or `services`, below the root; it is usable when this returns.

    Raises:
        AuthorityUnusable: the root cannot be opened, or there is an authority in `folder`.
        RequestRefused: it may not be called so.
    """
    if not is_id(name) or name.startswith(profile.RESERVED):
        raise RequestRefused(f"{name[:60]!r} is no campus's id: 3 to 40 of a-z, 0-9 and -, and not {profile.RESERVED}…")
    root_key, root_is = files.read_key(root / ROOT_KEY, passphrase), files.read_certificates(root / authority.ROOT)[0]
    if (folder / authority.KEY).exists():
        raise AuthorityUnusable(f"{folder / authority.KEY} is there already; nothing was changed")
    key = issue.new_key()
    files.write(folder / authority.ROOT, files.pem(root_is))
    files.write(folder / authority.ROOT_CRL, files.read(root / authority.ROOT_CRL))
    made = issue.intermediate(root_is, root_key, key.public_key(), name, now)
    files.write(folder / authority.CERTIFICATE, files.pem(made))
    files.write(folder / authority.KEY, files.key_bytes(key), files.PRIVATE, only_new=True)
    opened = Authority.open(folder)
    try:
        opened.publish(now)
    finally:
        opened.close()
