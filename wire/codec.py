"""JSON as this contract allows it: bounded, UTF-8, finite numbers, no repeated keys; else a `BadPayload`."""

import json
import math
import re
from typing import Any, Final, NoReturn, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from wire.errors import BadPayload

MAX_PAYLOAD_BYTES: Final = 256 * 1024
"""Payloads over this are refused before they are parsed."""

MAX_DEPTH: Final = 32
"""Objects and lists within each other; far more than any message has, far less than any reader's own limit."""

_MAX_INT: Final = 2**63 - 1  # what SQLite and PostgreSQL can keep
_MAX_INT_DIGITS: Final = len(str(_MAX_INT))
_HALF_CHARACTER: Final = re.compile(r"\\u[dD][89a-fA-F]")


def _published(schema: Any) -> None:
    r"""Write the patterns in `schema` as JSON Schema has them: ECMA-262 knows no `\z`, and its `$` means the same."""
    if isinstance(schema, dict):
        if isinstance(pattern := schema.get("pattern"), str):
            schema["pattern"] = pattern.replace(r"\z", "$")
        if isinstance(named := schema.get("patternProperties"), dict):
            schema["patternProperties"] = {name.replace(r"\z", "$"): inner for name, inner in named.items()}
        for inner in schema.values():
            _published(inner)
    elif isinstance(schema, list):
        for inner in schema:
            _published(inner)


class WireModel(BaseModel):
    """A frozen message model that ignores fields it does not know: old kiosks outlive new fleets (docs/adr/0002)."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, json_schema_extra=_published)

    @model_validator(mode="after")
    def _fits_64_bits(self) -> Self:
        # `decode` cannot see them all: pydantic takes a text of digits where a number belongs.
        for name, value in self.__dict__.items():
            if type(value) is int and abs(value) > _MAX_INT:
                raise ValueError(f"{name}: a number over 64 bits")
        return self


Model = TypeVar("Model", bound=BaseModel)


def decode(payload: bytes) -> dict[str, Any]:
    """The JSON object in `payload`.

    Raises:
        BadPayload: over 256 KiB, not UTF-8, not JSON, not an object, nested deeper than 32, a repeated key, half a
            character, a number that is not finite or does not fit 64 bits.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise BadPayload(f"{len(payload)} bytes, more than the {MAX_PAYLOAD_BYTES} allowed")
    try:
        text = payload.decode("utf-8")
        value = _DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise BadPayload(f"not UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise BadPayload("nested too deep") from error
    except json.JSONDecodeError as error:
        raise BadPayload(f"not JSON: {error.msg} at character {error.pos}") from error
    if not isinstance(value, dict):
        raise BadPayload(f"a JSON {type(value).__name__} where an object belongs")
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _shallow(value)
    if _HALF_CHARACTER.search(text):
        _whole_characters(value)
    return value


def read(model: type[Model], payload: bytes) -> Model:
    """The message of type `model` in `payload`; raises `BadPayload` with the field that does not fit."""
    return validate(model, decode(payload))


def validate(model: type[Model], value: dict[str, Any]) -> Model:
    """`value` as a `model`; raises `BadPayload` naming the first field that does not fit."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "message"
        raise BadPayload(f"{where}: {first['msg']}") from error


def encode(message: BaseModel) -> bytes:
    """`message` as compact JSON in UTF-8."""
    return message.model_dump_json(by_alias=True).encode()


def compact(value: dict[str, Any]) -> str:
    """`value` as compact JSON text, as a ledger row's body is stored."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _shallow(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        nests = [one for one in level if isinstance(one, dict | list)]
        if not nests:
            return
        level = [inner for one in nests for inner in (one.values() if isinstance(one, dict) else one)]
    raise BadPayload("nested too deep")


def _whole_characters(value: Any) -> None:
    try:
        compact(value).encode()
    except UnicodeEncodeError as error:
        raise BadPayload("half a character: an escaped surrogate without its other half") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise BadPayload("a key stands twice in one object")
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise BadPayload(f"the number {text[:20]} is not finite")
    return number


def _bounded(text: str) -> int:
    if len(text.lstrip("-")) > _MAX_INT_DIGITS or abs(int(text)) > _MAX_INT:
        raise BadPayload(f"a number of {len(text)} digits, more than 64 bits hold")
    return int(text)


def _no_constant(name: str) -> NoReturn:
    raise BadPayload(f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_once, parse_float=_finite, parse_int=_bounded, parse_constant=_no_constant
)
