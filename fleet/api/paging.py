"""Lists in pages: a cursor says after which item the next one begins, so that new items move nothing."""

import base64
import binascii
import json
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from fleet.errors import BadValue

Item = TypeVar("Item")
Place = TypeVar("Place")


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next: str | None = Field(None, description="Give it as `cursor` for the next page; null on the last.")


def cursor_of(place: tuple[Any, ...] | None) -> str | None:
    """The opaque text of a place in a list."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def place_in(cursor: str | None, shape: TypeAdapter[Place]) -> Place | None:
    """The place that `cursor` stands for; raises `BadValue` for one that this service did not make."""
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return shape.validate_json(text)
    except (binascii.Error, ValueError, ValidationError) as error:
        raise BadValue("cursor", "take it from `next` of the page before") from error
