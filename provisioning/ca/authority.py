"""One authority with its key: what it signed, what it revoked, and its list of that, in a folder of its own."""

import base64
import binascii
import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from provisioning.ca import files, issue, profile
from provisioning.errors import AuthorityUnusable, CloneSuspected, RequestRefused
from wire.signing import PROOF_CONTEXT

KEY, CERTIFICATE, ROOT, ROOT_CRL = "authority.key", "authority.pem", "root.pem", "root.crl.pem"
CRL: Final = "crl.pem"
"""The lists of this authority and of the root, one after the other: a broker wants one of each in the chain."""
REVOKED: Final = "revoked.txt"
"""The kiosks that are shut out, one a line: a list of serial numbers says nobody's name."""
RENEW_AFTER_END: Final = timedelta(days=400)
_DB: Final = "issued.db"

migrations: Final = Migrations("carrel-authority")


@migrations()
def first(db: Database) -> None:
    """What was signed; `over` says why a certificate does not count any more: renewed or revoked."""
    columns = {"serial": str, "name": str, "key": str, "pem": str, "ends": str, "over": str, "over_at": str}
    db.table("issued").create(columns, pk="serial", not_null={"name", "key", "pem", "ends"}, strict=True)
    db.table("issued").create_index(["name"])
    db.table("lists").create({"id": int, "number": int}, pk="id", strict=True)
    db.table("lists").insert({"id": 1, "number": 0})


class Authority:
    """The open authority of a campus, or of the services."""

    def __init__(self, folder: Path, key: issue.Key, certificate: x509.Certificate, db: Database) -> None:
        self._folder, self._key, self._certificate, self._db = folder, key, certificate, db
        self.name = str(certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)[0].value)
        """The campus's id, or `services`."""

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The authority in `folder`; raises `AuthorityUnusable`."""
        key, certificate = files.read_key(folder / KEY), files.read_certificates(folder / CERTIFICATE)[0]
        if key.public_key() != certificate.public_key():
            raise AuthorityUnusable(f"{folder}: {KEY} is not the key of {CERTIFICATE}; restore both from one backup")
        with contextlib.ExitStack() as undo:
            try:
                connection = undo.enter_context(
                    contextlib.closing(sqlite3.connect(folder / _DB, isolation_level=None, check_same_thread=False))
                )
                connection.execute("pragma synchronous = full")
                db = Database(connection)
                migrations.apply(db)
            except (sqlite3.DatabaseError, OSError) as error:
                raise AuthorityUnusable(f"{folder / _DB}: {error}") from error
            undo.pop_all()
        return cls(folder, key, certificate, db)

    def close(self) -> None:
        """Close its file."""
        self._db.close()

    def sign(self, kiosk: str, csr: str, now: datetime, *, replace: bool = False) -> str:
        """A kiosk's first certificate, with the chain, in PEM; the same request again gets the same one.

        Raises:
            CloneSuspected: another key has a living certificate of this kiosk, and nobody said `replace`.
            RequestRefused: the id or the request does not fit.
        """
        profile.check_kiosk_id(self.name, kiosk)
        key = _public(profile.checked(csr, kiosk))
        living = self._living(kiosk, now)
        same = next((row for row in living if row["key"] == _fingerprint(key)), None)
        if same is not None:
            return self._chain(same["pem"])
        if living and not replace:
            raise CloneSuspected(
                f"{kiosk} has a certificate already, of another key: a kiosk written anew, or a second one with its "
                "card. Look which, then approve it as the one that counts"
            )
        with self._together():
            self._over([row["serial"] for row in living], "revoked", now)
            chain = self._issue(kiosk, key, now)
        if living or self._db.table("issued").count_where("name = ? and over = 'revoked'", [kiosk]):
            self.publish(now)  # its name is shut out no more
        return chain

    def renew(self, kiosk: str, certificate: str, csr: str, proof: str, now: datetime) -> str:
        """The next certificate of a kiosk that shows that it has the present one's key; with the chain, in PEM.

        The same request again gets the same one: an answer may be lost. One that ended up to 400 days ago is renewed
        as well, for kiosks that were off over a summer.

        Raises:
            CloneSuspected: the present one was renewed already, with another key.
            RequestRefused: the certificate, the proof or the request does not fit.
        """
        profile.check_kiosk_id(self.name, kiosk)
        request = profile.checked(csr, kiosk)
        held = self._held(kiosk, certificate)
        self._check_proof(held, request, proof)
        key = _public(request)
        if held["over"] == "revoked":
            raise RequestRefused(f"this certificate of {kiosk} was revoked; it can only be enrolled anew")
        if held["over"] == "renewed":
            following = next((row for row in self._living(kiosk, now) if row["key"] == _fingerprint(key)), None)
            if following is None:
                raise CloneSuspected(f"this certificate of {kiosk} was renewed already, by somebody with another key")
            return self._chain(following["pem"])
        if now - datetime.fromisoformat(held["ends"]) > RENEW_AFTER_END:
            raise RequestRefused(f"this certificate of {kiosk} ended more than {RENEW_AFTER_END.days} days ago")
        if held["key"] == _fingerprint(key):
            raise RequestRefused("a renewal needs a new key")
        with self._together():
            self._over([held["serial"]], "renewed", now)
            return self._issue(kiosk, key, now)

    def serve(self, name: str, csr: str, hosts: list[x509.GeneralName], now: datetime) -> str:
        """A certificate of the services' authority: of a broker by its `hosts`, without them of a fleet's program.

        Raises:
            RequestRefused: this is a campus's authority, or the request does not fit.
        """
        if self.name != profile.SERVICES:
            raise RequestRefused(f"the authority of campus {self.name!r} makes kiosks' certificates only")
        return self._issue(name, _public(profile.checked(csr, name)), now, hosts)

    def revoke(self, kiosk: str, now: datetime) -> int:
        """Shut a kiosk out by all it has; how many certificates that were. The list is on disk when this returns.

        Raises:
            RequestRefused: nothing of it was ever signed here.
        """
        rows = list(self._db.table("issued").rows_where("name = ?", [kiosk]))
        if not rows:
            raise RequestRefused(f"no certificate of {kiosk!r} was ever signed by {self.name!r}")
        serials = [row["serial"] for row in rows if row["over"] != "revoked"]
        with self._together():
            self._over(serials, "revoked", now)
        self.publish(now)
        return len(serials)

    def publish(self, now: datetime) -> None:
        """Write the list of what is revoked anew, beside the names; of two processes one after the other."""
        with self._together():
            revoked = list(self._db.table("issued").rows_where("over = 'revoked'"))
            self._db.conn.execute("update lists set number = number + 1")
            number = self._db.execute("select number from lists").fetchone()[0]
            told = [(int(row["serial"], 16), datetime.fromisoformat(row["over_at"])) for row in revoked]
            made = issue.crl(self._certificate, self._key, told, number, now)
            out = sorted({row["name"] for row in revoked if not self._living(row["name"], now)})
            files.write(self._folder / REVOKED, "".join(f"{name}\n" for name in out).encode())
            files.write(self._folder / CRL, files.pem(made) + files.read(self._folder / ROOT_CRL))

    @contextlib.contextmanager
    def _together(self) -> Iterator[None]:
        """All of what is done within, or nothing."""
        self._db.conn.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.conn.rollback()
            raise
        self._db.conn.commit()

    def _issue(
        self,
        name: str,
        public: ec.EllipticCurvePublicKey,
        now: datetime,
        hosts: list[x509.GeneralName] | None = None,
    ) -> str:
        made = issue.leaf(self._certificate, self._key, public, unit=self.name, name=name, now=now, hosts=hosts or ())
        pem = files.pem(made).decode()
        row = {"serial": f"{made.serial_number:x}", "name": name, "key": _fingerprint(public), "pem": pem,
               "ends": made.not_valid_after_utc.isoformat(), "over": None, "over_at": None}  # fmt: skip
        sql = f"insert into issued ({', '.join(row)}) values ({', '.join(f':{one}' for one in row)})"  # noqa: S608  # our names
        self._db.conn.execute(sql, row)
        return self._chain(pem)

    def _chain(self, pem: str) -> str:
        return pem + files.pem(self._certificate).decode()

    def _living(self, name: str, now: datetime) -> list[dict[str, Any]]:
        rows = self._db.table("issued").rows_where("name = ? and over is null", [name])
        return [row for row in rows if datetime.fromisoformat(row["ends"]) > now]

    def _over(self, serials: list[str], why: str, now: datetime) -> None:
        at = now.astimezone(UTC).isoformat()
        for serial in serials:
            self._db.conn.execute("update issued set over = ?, over_at = ? where serial = ?", [why, at, serial])

    def _held(self, kiosk: str, pem: str) -> dict[str, Any]:
        """The row of a certificate that somebody shows; what is not word for word ours was not signed here."""
        try:
            shown = x509.load_pem_x509_certificate(pem.encode())
        except ValueError as error:
            raise RequestRefused(f"the present certificate cannot be read: {error}") from error
        row = next(self._db.table("issued").rows_where("serial = ?", [f"{shown.serial_number:x}"]), None)
        if row is None or row["name"] != kiosk or files.pem(shown).decode() != row["pem"]:
            raise RequestRefused(f"the certificate shown is none that {self.name!r} signed for {kiosk}")
        return dict(row)

    def _check_proof(self, held: dict[str, Any], request: x509.CertificateSigningRequest, proof: str) -> None:
        public = x509.load_pem_x509_certificate(held["pem"].encode()).public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey), "only such are signed"
        der = request.public_bytes(serialization.Encoding.DER)
        try:
            signature = base64.b64decode(proof, validate=True)
            public.verify(signature, PROOF_CONTEXT + der, ec.ECDSA(hashes.SHA256()))
        except (InvalidSignature, binascii.Error, ValueError) as error:
            raise RequestRefused("the request is not signed by the key of the present certificate") from error


def _public(request: x509.CertificateSigningRequest) -> ec.EllipticCurvePublicKey:
    key = request.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey), "checked before"
    return key


def _fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    digest = hashes.Hash(hashes.SHA256())
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    digest.update(key.public_bytes(serialization.Encoding.DER, form))
    return digest.finalize().hex()
