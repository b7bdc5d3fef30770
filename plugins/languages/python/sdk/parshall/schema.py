"""What comes in and what leaves: schemas, inputs, ports."""

import typing

from wit_world.imports import types

from . import kinds
from .errors import config_error, schema_error

NULLABLE = types.FieldFlags.NULLABLE
DICTIONARY = types.FieldFlags.DICTIONARY_ENCODED

#: So many names are told where one is not found.
MOST_NAMED = 20


class Schema:
    """The columns of a batch: `names`, and the contract's fields of each, depth-first."""

    def __init__(self, raw):
        self.raw = raw
        self.fields, self._found = [], []
        at = 0
        while at < len(raw.fields):
            field = raw.fields[at]
            self.fields.append(field)
            dictionary = bool(field.flags & DICTIONARY)
            # The values of a dictionary follow its keys.
            self._found.append(kinds.name(raw.fields[at + dictionary].format, dictionary))
            at = self._after(at)
        self.names = [field.name for field in self.fields]

    def _after(self, at):
        field, at = self.raw.fields[at], at + 1
        if field.flags & DICTIONARY:
            at = self._after(at)
        for _ in range(field.children):
            at = self._after(at)
        return at

    def index(self, name, formats, pointer=""):
        """The index of a column whose format is one of these letters: `l` int64, `g` float64, `u` utf8 …; `pointer` is the setting that names it."""
        if name not in self.names:
            raise self._unknown(name, pointer)
        index = self.names.index(name)
        field = self.fields[index]
        if field.format not in formats or field.flags & DICTIONARY:
            wanted = " or ".join(kinds.name(letter) for letter in formats)
            raise schema_error(name, f"expected {wanted}, found {self._found[index]}")
        return index

    def place(self, column):
        """The index of a column, of whatever type, that is named or said by its index."""
        if isinstance(column, str):
            if column not in self.names:
                raise self._unknown(column, "")
            return self.names.index(column)
        if not 0 <= column < len(self.names):
            raise IndexError(f"there is no column {column}: there are {len(self.names)}, from 0 on")
        return column

    def _unknown(self, name, pointer):
        named = "`, `".join(self.names[:MOST_NAMED])
        more = f" and {len(self.names) - MOST_NAMED} more" if len(self.names) > MOST_NAMED else ""
        there = f"the columns are `{named}`{more}" if self.names else "the input has no columns"
        if pointer:
            return config_error(pointer, f"there is no column `{name}`", there)
        return schema_error(name, f"there is no such column; {there}")


class Input(typing.NamedTuple):
    """What feeds the stage."""

    name: str
    schema: Schema


def same_schema(inputs):
    """The schema that all inputs have."""
    if not inputs:
        raise config_error("", "the stage has no input")
    shape = lambda schema: [(field.name, field.format) for field in schema.raw.fields]
    for other in inputs[1:]:
        if shape(other.schema) != shape(inputs[0].schema):
            raise schema_error(None, f"input `{other.name}` has other columns than `{inputs[0].name}`")
    return inputs[0].schema


def field(name, format, nullable=False):
    """A field of a port's schema."""
    return types.Field(name, format, NULLABLE if nullable else types.FieldFlags(0), 0, [])


def port(*fields, name="out"):
    """A way out of fields of the stage's own."""
    return types.Port(name, types.Schema(list(fields), []))
