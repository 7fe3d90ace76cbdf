"""The console's templates, and the two pages that other parts of the fleet ask for."""

import re
from datetime import UTC, datetime, tzinfo
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fleet import times
from fleet.console.board import Question
from fleet.console.standing import Standing
from fleet.console.words import Running

_HERE: Final = Path(__file__).parent
STATIC: Final = _HERE / "static"
"""Styles, scripts and icons, served under /static/."""


def markup(template: str, /, **facts: Any) -> str:
    """The template filled with `facts`; everything that is not markup of this package is escaped."""
    return _TEMPLATES.get_template(template).render(**facts)


def page(template: str, status: int = HTTPStatus.OK, /, **facts: Any) -> HTMLResponse:
    """The template as an answer that no cache keeps: a stale board is worse than none."""
    return HTMLResponse(markup(template, **facts), status_code=status, headers={"Cache-Control": "no-store"})


def render_problem(request: Request, status: int, title: str, detail: str) -> HTMLResponse:  # noqa: ARG001  # the signature that the app's error handlers rely on
    """An error page in plain words, for a person whose browser asked for a page."""
    return page("problem.html", status, title=title, detail=detail)


def render_sign_in(request: Request) -> HTMLResponse:  # noqa: ARG001  # as above
    """What a person who is not signed in sees (status 401): how to get in."""
    return page("sign_in.html", HTTPStatus.UNAUTHORIZED)


def iso(at: datetime) -> str:
    """`at` as the browser reads it: UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def hh_mm(at: datetime, zone: tzinfo | None) -> str:
    """The time of day with the zone's name: a fleet may stand in another zone than its reader."""
    return f"{at.astimezone(zone):%H:%M %Z}"


def offset_s(at: datetime, zone: tzinfo | None) -> int:
    """How far the zone is from UTC at that instant, in seconds."""
    offset = at.astimezone(zone).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())


def query(question: Question, *, show: Standing | None = None, page: int = 1) -> str:
    """The board's address for the same words, with another standing or page; a standing asked twice is let go."""
    kept = question.show if show is None else None if show is question.show else show
    told = {"q": question.words, "show": kept or "", "page": page if page > 1 else ""}
    text = urlencode({name: value for name, value in told.items() if value})
    return f"/?{text}" if text else "/"


def _age(at: datetime, now: datetime) -> str:
    return times.age((now - at).total_seconds())


def _elapsed(running: Running, now: datetime) -> str:
    return times.duration(running.elapsed_ms + (now - running.at).total_seconds() * 1_000)


def _segment(text: str) -> str:
    return quote(text, safe="")


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "-", text)


_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {
    "age": _age,
    "day": times.day,
    "elapsed": _elapsed,
    "hh_mm": hh_mm,
    "iso": iso,
    "offset_s": offset_s,
    "query": query,
    "segment": _segment,
    "slug": _slug,
}
