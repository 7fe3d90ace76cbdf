"""Signing in: bearer tokens for programs, links and a cookie for people."""

from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from fleet.access import secrets
from fleet.access.roles import Principal
from fleet.access.secrets import SESSION_LIVES, Kind
from fleet.console.render import render_sign_in
from fleet.errors import NotAllowed, NotSignedIn, TooMany
from fleet.parts import FleetParts
from fleet.store import audit

__all__ = ["Principal", "SignInNeeded", "asker", "router", "signed_in"]

COOKIE: Final = "carrel_session"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_CONTINUE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Signed in · Carrel</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="0;url=/"><link rel="stylesheet" href="/static/tokens.css"></head>
<body><main><h1>Signed in</h1><p><a href="/">Go on to the board</a></p></main></body></html>
"""

router: Final = APIRouter(include_in_schema=False)


class SignInNeeded(NotSignedIn):
    """A page was asked for by someone who is not signed in; they are shown how to."""


def asker(request: Request) -> Principal:
    """Who asks the API: by bearer token, else by the session's cookie.

    Raises:
        NotSignedIn: neither, or one that opens nothing.
        NotAllowed: a write with a cookie from a page that is not ours.
        TooMany: this address tried too many wrong tokens.
    """
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return _opened(request, Kind.TOKEN, token.strip())
    principal = _by_cookie(request)
    if principal is None:
        raise NotSignedIn("Send a token as `Authorization: Bearer …`, or sign in.")
    if request.method not in _SAFE:
        require_own_origin(request)
    return principal


def signed_in(request: Request) -> Principal:
    """Who asks for a page; raises `SignInNeeded`, which leads to the page that says how."""
    principal = _by_cookie(request)
    if principal is None:
        raise SignInNeeded("Not signed in.")
    return principal


def require_own_origin(request: Request) -> None:
    """Refuse what a foreign page, or none, made a browser send; raises `NotAllowed`."""
    host = request.headers.get("host", "").lower()
    if request.headers.get("origin", "").lower() not in {f"http://{host}", f"https://{host}"}:
        raise NotAllowed("A change with a cookie must come from this service's own pages.")


@router.get("/sign-in")
def read_sign_in(request: Request) -> Response:
    """How to get in."""
    return RedirectResponse("/", HTTPStatus.SEE_OTHER) if _by_cookie(request) else render_sign_in(request)


@router.get("/sign-in/{secret}")
def open_link(request: Request, secret: str) -> Response:
    """Sign this browser in.

    The answer is a page that goes on by itself, not a redirect: after a click in a mail, a browser would not send a
    strict cookie with the redirect.
    """
    principal = _opened(request, Kind.LINK, secret)
    fleet = _fleet(request)
    now = fleet.clock.now()
    session = secrets.issue(fleet.database, Kind.SESSION, principal.name, now)
    page = HTMLResponse(_CONTINUE)
    page.set_cookie(
        COOKIE,
        session,
        max_age=int(SESSION_LIVES.total_seconds()),
        secure=_is_https(request),
        httponly=True,
        samesite="strict",
    )
    return page


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    """End this browser's session."""
    require_own_origin(request)
    secret = request.cookies.get(COOKIE)
    if secret:
        secrets.withdraw(_fleet(request).database, secret)
    page = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
    page.delete_cookie(COOKIE, secure=_is_https(request), httponly=True, samesite="strict")
    return page


def _opened(request: Request, kind: Kind, secret: str) -> Principal:
    """Whose secret it is; wrong ones make this address wait."""
    fleet = _fleet(request)
    client = request.client.host if request.client else "unknown"
    now = fleet.clock.now()
    wait_s = fleet.backoff.wait_s(client, now.mono_s)
    if wait_s > 0:
        raise TooMany(wait_s)
    principal = secrets.owner(fleet.database, kind, secret, now)
    if principal is not None:
        fleet.backoff.right(client)
        return principal
    if fleet.backoff.wrong(client, now.mono_s):
        with fleet.database.write() as connection:
            audit.note(connection, now.at, "unknown", f"{kind.value}.refused", client)
    raise NotSignedIn(
        "This token opens nothing: it is wrong, expired or withdrawn."
        if kind is Kind.TOKEN
        else "This sign-in link is not valid any more. Ask for a new one."
    )


def _by_cookie(request: Request) -> Principal | None:
    secret = request.cookies.get(COOKIE)
    if not secret:
        return None
    fleet = _fleet(request)
    return secrets.owner(fleet.database, Kind.SESSION, secret, fleet.clock.now())


def _fleet(request: Request) -> FleetParts:
    fleet: FleetParts = request.app.state.fleet
    return fleet


def _is_https(request: Request) -> bool:
    return request.url.scheme == "https" or _fleet(request).settings.own_url.startswith("https:")
