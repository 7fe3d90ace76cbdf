"""Every error in one form: RFC 9457 problem details, or a page in plain words for a browser that asked for one."""

import logging
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from fleet.access.web import SignInNeeded
from fleet.console.render import render_problem
from fleet.errors import BadRows, BadValue, Refused, StoreDown, TooMany
from fleet.headers import HEADERS

_log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"


class Fault(BaseModel):
    """One value that does not fit."""

    field: str
    message: str
    line: int | None = Field(None, description="Of a file, from 1")
    column: str | None = Field(None, description="Of a file, by the name in its header")


class Problem(BaseModel):
    """What went wrong, for programs and people (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[Fault] | None = Field(None, description="The values that do not fit, on a 422.")


_DESCRIPTIONS: Final = {
    401: "No token, or a wrong one",
    403: "Not for this role, or a write from a foreign page",
    404: "Not there, or not for this reader",
    409: "Not possible as things are now",
    413: "The body is too large",
    410: "It was destroyed, as it had to be",
    415: "Another kind of body than is read here",
    422: "A value does not fit; `errors` names it",
    429: "Too many wrong attempts",
    503: "Something that this needs is down",
}


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route for OpenAPI."""
    return {status: {"description": _DESCRIPTIONS[status], "model": Problem} for status in (401, *statuses)}


def problem(request: Request, status: int, detail: str, *, title: str | None = None, **more: Any) -> Response:
    """The answer to a request that failed."""
    title = title or HTTPStatus(status).phrase
    headers = more.pop("headers", None)
    if _wants_page(request):
        page = render_problem(request, status, title, detail)
        page.headers.update(headers or {})
        return page
    body = Problem(title=title, status=status, detail=detail, **more).model_dump(exclude_none=True)
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let every error of `app` be answered in this form."""
    app.add_exception_handler(SignInNeeded, _sign_in)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(StoreDown, _store_down)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _defect)


async def _sign_in(_request: Request, _error: Exception) -> Response:
    return RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    more: dict[str, Any] = {}
    match error:
        case BadValue():
            more["errors"] = [Fault(field=error.field, message=error.message)]
        case BadRows():
            more["errors"] = [
                Fault(field=one.where, message=one.message, line=one.line, column=one.column) for one in error.faults
            ]
        case TooMany():
            more["headers"] = {"Retry-After": str(int(error.wait_s) + 1)}
        case _ if error.status == HTTPStatus.UNAUTHORIZED:
            more["headers"] = {"WWW-Authenticate": "Bearer"}
    return problem(request, error.status, str(error), title=error.title, **more)


async def _store_down(request: Request, error: Exception) -> Response:
    _log.warning("a request found no store: %s", error)
    return problem(request, 503, "The database does not answer at the moment.", headers={"Retry-After": "5"})


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [Fault(field=_field(one["loc"]), message=str(one["msg"])) for one in error.errors()]
    detail = "; ".join(f"{fault.field}: {fault.message}" for fault in faults[:5])
    return problem(request, 422, detail, title="A value does not fit", errors=faults)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = {
        HTTPStatus.NOT_FOUND: "There is nothing at this address.",
        HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take that method.",
    }.get(HTTPStatus(error.status_code), str(error.detail))
    return problem(request, error.status_code, detail, headers=dict(error.headers or {}))


async def _defect(request: Request, _error: Exception) -> Response:
    # The server logs the error itself; who asked is told nothing of its inside.
    # This answer is made outside the guard.
    return problem(request, 500, "This is a defect of the service. It was logged.", headers=HEADERS)


def _field(where: tuple[Any, ...]) -> str:
    parts = [str(part) for part in where]
    return ".".join(parts[1:] if len(parts) > 1 and parts[0] in {"query", "path", "body", "header"} else parts)


def _wants_page(request: Request) -> bool:
    path = request.url.path
    return "text/html" in request.headers.get("accept", "") and not path.startswith(("/api/", "/metrics", "/healthz"))
