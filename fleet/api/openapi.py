"""The OpenAPI document, with its errors as they really are: problem details, the validator's among them."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from fleet.api.problems import MEDIA_TYPE

_PROBLEM: Final = {"schema": {"$ref": "#/components/schemas/Problem"}}


def tidy(app: FastAPI) -> dict[str, Any]:
    """The document of `app`, made once."""
    if app.openapi_schema is None:
        app.openapi_schema = _made(app)
    return app.openapi_schema


def _made(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    for path, item in document["paths"].items():
        for operation in item.values():
            for status, response in operation["responses"].items():
                if status >= "400" and path.startswith("/api/"):
                    response["content"] = {MEDIA_TYPE: _PROBLEM}
            if path.startswith("/api/"):
                operation["security"] = [{"token": []}]
    components = document["components"]
    components["schemas"] = {
        name: schema
        for name, schema in components["schemas"].items()
        if name not in {"HTTPValidationError", "ValidationError"}
    }
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return document
