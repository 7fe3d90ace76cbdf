"""Enrolment: a claim is looked at, a person decides where no claim does, the campus's authority signs.

Every refusal and every decision is in the audit. The claim's token is never kept: its hash is, and each request that
came with it counts once.
"""

from fleet.access.roles import Principal
from fleet.clock import Instant
from fleet.errors import Conflict, NotAllowed, NotFound
from fleet.parts import FleetParts
from fleet.signing import Signers
from fleet.store import audit
from fleet.store import claims as store
from wire.claims import EnrolAnswer, EnrolAsk, RenewAsk, Verdict, code_of, request_id, token_hash, verdict
from wire.signing import SignAnswer, SignAsk

UNASSIGNED = "The claim names no kiosk: approve it once the code on its screen is the one you see."
_WORDS = {
    Verdict.UNKNOWN: "There is no such claim",
    Verdict.OTHER_CAMPUS: "The claim is for another campus",
    Verdict.OTHER_KIOSK: "The claim is for another kiosk",
    Verdict.OTHER_SERIAL: "The claim is for another Raspberry Pi",
    Verdict.EXPIRED: "The claim is over; ask for a new one",
    Verdict.USED_UP: "The claim was used as often as it may be",
}


def enrol(parts: FleetParts, ask: EnrolAsk) -> EnrolAnswer:
    """What is said of a kiosk that asks, for the first time or again.

    Raises:
        NotAllowed: the claim does not allow it; in the audit.
        Unavailable: it may be, but the authority does not answer.
    """
    now, id_, hash_ = parts.clock.now(), request_id(ask.csr), token_hash(ask.token)
    with parts.database.write() as connection:
        row = store.asked(connection, id_)
        if row is not None and (row.claim, row.campus, row.kiosk) != (hash_, ask.campus, ask.kiosk):
            said = Verdict.UNKNOWN
        elif row is not None:
            said = Verdict.GOOD
        else:
            claim = store.find(connection, hash_)
            said = verdict(claim, ask, store.used(connection, hash_), now.at)
            if said is Verdict.GOOD and claim is not None:
                told = {"claim": hash_, "campus": ask.campus, "kiosk": ask.kiosk, "serial": ask.serial, "csr": ask.csr}
                state = {"state": "pending", "reason": UNASSIGNED} if claim.kiosk is None else {"state": "approved"}
                store.ask(connection, id_, told | state, now.at)
                row = store.asked(connection, id_)
        if said is not Verdict.GOOD or row is None:
            audit.note(connection, now.at, "kiosk", "enrolment.refused", ask.kiosk, said.value, campus=ask.campus)
    if said is not Verdict.GOOD or row is None:  # after the transaction, which keeps the audit's row
        raise NotAllowed(f"{_WORDS[said]}.")
    if row.state != "approved":
        return EnrolAnswer(state=row.state, code=code_of(id_), reason=row.reason or "")
    if row.chain:
        return EnrolAnswer(state="approved", code=code_of(id_), chain=row.chain)
    signed = Signers(parts.settings.authorities).ask(
        SignAsk(do="sign", campus=row.campus, kiosk=row.kiosk, csr=row.csr, replace=row.replaces)
    )
    return _kept(parts, id_, signed, row.campus, row.kiosk, now)


def approve(parts: FleetParts, principal: Principal, id_: str) -> None:
    """Let a request that waits be signed at the kiosk's next question; it then counts, whatever another key holds.

    Raises:
        NotFound: none that this principal may see.
        Conflict: it waits no more.
    """
    _decide(parts, principal, id_, "approved", {"state": "approved", "reason": None, "replaces": True})


def refuse(parts: FleetParts, principal: Principal, id_: str) -> None:
    """Refuse a request that waits; raises as `approve`."""
    _decide(parts, principal, id_, "refused", {"state": "refused", "reason": "A person refused it."})


def renew(parts: FleetParts, ask: RenewAsk) -> EnrolAnswer:
    """A kiosk's next certificate, by the key of its present one.

    Raises:
        NotAllowed: the authority refuses, in its words; in the audit, a suspected copy by that name.
        Unavailable: it does not answer.
    """
    told = SignAsk(do="renew", **ask.model_dump())
    signed, now = Signers(parts.settings.authorities).ask(told), parts.clock.now()
    if signed.refused:
        what = "identity.copied" if signed.clone else "renewal.refused"
        _note(parts, now, "kiosk", what, ask.kiosk, signed.refused, ask.campus)
        raise NotAllowed(f"{signed.refused}.")
    _note(parts, now, "kiosk", "identity.renewed", ask.kiosk, "", ask.campus)
    return EnrolAnswer(state="approved", chain=signed.chain)


def revoke(parts: FleetParts, principal: Principal, campus: str, kiosk: str) -> None:
    """Have the authority shut a kiosk out; the broker's keeper cuts its link within seconds.

    Raises:
        Conflict: the authority refuses, in its words.
        Unavailable: it does not answer; nothing was revoked.
    """
    signed = Signers(parts.settings.authorities).ask(SignAsk(do="revoke", campus=campus, kiosk=kiosk))
    if signed.refused:
        raise Conflict(f"{signed.refused}.")
    _note(parts, parts.clock.now(), principal.name, "identity.revoked", kiosk, "", campus)


def _kept(parts: FleetParts, id_: str, signed: SignAnswer, campus: str, kiosk: str, now: Instant) -> EnrolAnswer:
    if signed.clone:
        told = {"state": "pending", "reason": signed.refused}
    elif signed.refused:
        told = {"state": "refused", "reason": signed.refused}
    else:
        told = {"state": "approved", "chain": signed.chain}
    what = {"pending": "identity.copied", "refused": "enrolment.refused", "approved": "identity.issued"}
    state = str(told["state"])
    with parts.database.write() as connection:
        store.decide(connection, id_, now.at, "authority", **told)
        detail = signed.refused or code_of(id_)
        audit.note(connection, now.at, "kiosk", what[state], kiosk, detail, campus=campus)
    return EnrolAnswer.model_validate({"code": code_of(id_), "state": state, "reason": signed.refused or "",
                                       "chain": signed.chain})  # fmt: skip


def _decide(parts: FleetParts, principal: Principal, id_: str, what: str, told: dict[str, object]) -> None:
    now = parts.clock.now()
    with parts.database.write() as connection:
        row = store.asked(connection, id_)
        if row is None or not principal.sees(row.campus):
            raise NotFound("There is no such request here.")
        if row.state != "pending":
            raise Conflict(f"This request is {row.state} already.")
        store.decide(connection, id_, now.at, principal.name, **told)
        audit.note(connection, now.at, principal.name, f"enrolment.{what}", row.kiosk, code_of(id_), campus=row.campus)


def _note(parts: FleetParts, now: Instant, who: str, what: str, kiosk: str, detail: str, campus: str) -> None:
    with parts.database.write() as connection:
        audit.note(connection, now.at, who, what, kiosk, detail, campus=campus)
