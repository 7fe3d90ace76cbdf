"""How every Carrel program reads its TOML settings: strictly, and with a suggestion where a key is misspelt."""

import difflib
import tomllib
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError


class SettingsError(Exception):
    """A settings file cannot be used; the message names file, key and what to write instead."""


class SettingsModel(BaseModel):
    """A frozen group of settings in which an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Model = TypeVar("Model", bound=SettingsModel)


def read_settings(model: type[Model], path: Path) -> Model:
    """The settings in the TOML file at `path`.

    Raises:
        SettingsError: the file cannot be read, is not TOML, has an unknown key or a value of the wrong kind.
    """
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not TOML: {error}") from error
    try:
        return model.model_validate(value)
    except ValidationError as error:
        lines = [_line(model, one["loc"], one["type"], one["msg"]) for one in error.errors(include_url=False)]
        raise SettingsError("\n".join(f"{path}: {line}" for line in lines)) from error


def _line(model: type[BaseModel], where: tuple[Any, ...], kind: str, message: str) -> str:
    name = ".".join(str(part) for part in where) or "file"
    if kind != "extra_forbidden":
        return f"{name}: {message}"
    group = _group(model, where[:-1])
    near = difflib.get_close_matches(str(where[-1]), list(group.model_fields), n=1) if group else []
    hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(group.model_fields) if group else 'none'}"
    return f"{name}: unknown key; {hint}"


def _group(model: type[BaseModel], where: tuple[Any, ...]) -> type[BaseModel] | None:
    """The model of the group at `where`, through dictionaries, lists and unions of groups."""
    found: type[BaseModel] | None = model
    for part in where:
        if found is None:
            return None
        field = found.model_fields.get(str(part))
        if field is not None:
            found = _model_in(field.annotation)
    return found


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((inner for one in get_args(annotation) if (inner := _model_in(one)) is not None), None)
