"""Configuration: annotations are settings."""

import json
import typing

from .errors import config_error


def _json_schema(hint):
    if typing.get_origin(hint) is typing.Literal:
        return {"enum": list(typing.get_args(hint))}
    parts = typing.get_args(hint)
    if parts and type(None) in parts:
        return _json_schema(next(part for part in parts if part is not type(None)))
    names = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object"}
    return {"type": names.get(typing.get_origin(hint) or hint, "string")}


def _fits(value, hint):
    if typing.get_origin(hint) is typing.Literal:
        return value in typing.get_args(hint)
    parts = typing.get_args(hint)
    if parts and type(None) in parts:
        return any(_fits(value, part) for part in parts)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, typing.get_origin(hint) or hint)


def _expected(hint):
    schema = _json_schema(hint)
    return f"one of {json.dumps(schema['enum'])}" if "enum" in schema else schema["type"]


def schema(cls, hints):
    """The JSON Schema of a class's settings. Keys that are none are refused."""
    properties = {}
    for name, hint in hints.items():
        properties[name] = _json_schema(hint)
        default = getattr(cls, name, None)
        if default is not None:
            properties[name]["default"] = default
    required = [name for name in hints if not hasattr(cls, name)]
    return json.dumps({"type": "object", "properties": properties, "required": required, "additionalProperties": False})


def read(stage, hints, text):
    """Sets the settings of a stage."""
    settings = json.loads(text)
    for name, value in settings.items():
        pointer = "/" + name.replace("~", "~0").replace("/", "~1")
        if name not in hints:
            known = f"the settings are `{'`, `'.join(hints)}`" if hints else "the stage has no settings"
            raise config_error(pointer, "there is no such setting", known)
        if not _fits(value, hints[name]):
            raise config_error(pointer, f"expected {_expected(hints[name])}, found {json.dumps(value)}")
        setattr(stage, name, value)
    for name, hint in hints.items():
        if not hasattr(stage, name):
            raise config_error("", f"`{name}` is missing", f"expected {_expected(hint)}")
