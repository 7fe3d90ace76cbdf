"""The console's templates, and the two pages that other parts of the fleet ask for."""

from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

_HERE: Final = Path(__file__).parent
TEMPLATES: Final = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
"""Escapes everything that is not marked as markup by this package, and refuses names that were not handed over."""


def page(request: Request, template: str, status: int = 200, /, **facts: Any) -> HTMLResponse:
    """The page `template` filled with `facts`."""
    text = TEMPLATES.get_template(template).render(request=request, **facts)
    return HTMLResponse(text, status_code=status)


def render_problem(request: Request, status: int, title: str, detail: str) -> HTMLResponse:
    """An error page in plain words, for a person whose browser asked for a page."""
    return page(request, "problem.html", status, title=title, detail=detail)


def render_sign_in(request: Request) -> HTMLResponse:
    """What a person without a session sees (status 401): how to get in."""
    return page(request, "sign_in.html", HTTPStatus.UNAUTHORIZED)
