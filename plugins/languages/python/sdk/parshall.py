"""Everything that a stage in Python needs.

A stage is a class with the settings of its configuration as annotations, and a decorator:

    @parshall.transform(name="hello", version="0.1.0", summary="Doubles the column `n`")
    class Hello:
        factor: int = 2                     # a setting, with its default

        def process(self, frame): ...       # one batch; answers what to put out
        def open(self, inputs): ...         # optional: checks columns, answers the ports
        def finish(self): ...               # optional: what is still held, until it answers None
        def snapshot(self) -> bytes: ...    # optional, with `restore`: the stage remembers
        def restore(self, snapshot): ...

Columns are memoryviews over the bytes that the host copied in. The JSON Schema of the configuration is made from the
annotations.
"""

import json
import typing
from array import array
from wit_world import exports
from wit_world.imports import types
from componentize_py_types import Err

try:  # Only a component whose `stage.toml` says `imports = ["telemetry", "state"]` has these.
    from wit_world.imports import telemetry
except ImportError:
    telemetry = None
try:
    from wit_world.imports import state as store
except ImportError:
    store = None

NULLABLE = types.FieldFlags.NULLABLE
DICTIONARY = types.FieldFlags.DICTIONARY_ENCODED

#: Arrow's format letters of numbers, and Python's.
LETTERS = {"c": "b", "C": "B", "s": "h", "S": "H", "i": "i", "I": "I", "l": "q", "L": "Q", "f": "f", "g": "d"}


class StageError(Exception):
    """What is wrong, in the contract's terms; the functions below make one."""

    def __init__(self, error):
        super().__init__(str(error))
        self.error = error


def config_error(pointer, message, help=None):
    """The configuration is wrong at a JSON Pointer such as `/column`."""
    return StageError(types.StageError_Config(types.ConfigError(pointer, None, message, help)))


def schema_error(column, message):
    """A column does not fit."""
    return StageError(types.StageError_Schema(types.SchemaError(column, message)))


def data_error(message):
    """The data is wrong, and no single row can be rejected for it."""
    return StageError(types.StageError_Data(message))


# === telemetry, under the grant `telemetry = true` ===


def _imported(interface, name):
    if interface is None:
        raise RuntimeError(f'`imports = ["{name}"]` is missing from stage.toml')
    return interface


def _value(value):
    for kind, case in ((bool, "Flag"), (int, "Integer"), (float, "Number")):
        if isinstance(value, kind):
            return getattr(telemetry, f"Value_{case}")(value)
    return telemetry.Value_Text(str(value))


def log(level, message, attributes={}):
    """Writes a log record that carries the call's context; the level is "trace", "debug", "info", "warn" or "error"."""
    interface = _imported(telemetry, "telemetry")
    pairs = [interface.Attribute(key, _value(value)) for key, value in attributes.items()]
    interface.log(interface.Level[level.upper()], message, pairs)


def count(name, by=1):
    """Adds to a counter of the stage's own."""
    _imported(telemetry, "telemetry").count(name, by)


def observe(name, value):
    """Observes a value in a histogram of the stage's own."""
    _imported(telemetry, "telemetry").observe(name, float(value))


# === state that outlives the instance, under the grant `state = true` ===


class _State:
    """Keys and the bytes that are kept under them. A store that refuses is an error of the stage."""

    def get(self, key, default=None):
        value = self._ask("get", key)
        return default if value is None else value

    def __getitem__(self, key):
        value = self._ask("get", key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key, value):
        self._ask("set", key, bytes(value))

    def __delitem__(self, key):
        self._ask("delete", key)

    def _ask(self, call, *arguments):
        interface = _imported(store, "state")
        try:
            return getattr(interface, call)(*arguments)
        except Err as refused:
            unavailable = isinstance(refused.value, interface.StateError_Unavailable)
            error = types.StageError_Unavailable if unavailable else types.StageError_Internal
            raise StageError(error(refused.value.value)) from None


state = _State()


class Schema:
    """The columns of a batch: `names`, and the contract's fields of each, depth-first."""

    def __init__(self, raw):
        self.raw = raw
        self.fields = []
        at = 0
        while at < len(raw.fields):
            self.fields.append(raw.fields[at])
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
        """The index of a column whose format is one of these letters: `l` int64, `g` float64, `u` utf8 …"""
        if name not in self.names:
            raise config_error(pointer, f"there is no column `{name}`", f"the columns are `{'`, `'.join(self.names)}`")
        index = self.names.index(name)
        field = self.fields[index]
        if field.format not in formats or field.flags & DICTIONARY:
            raise schema_error(name, f"expected a type of format {' or '.join(formats)}, found {field.format}")
        return index


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


class Column:
    """A column. Of numbers, `values` is a memoryview; of strings, `column[row]` is bytes and `offsets` a memoryview."""

    def __init__(self, format, node, buffers):
        self.nulls = node.null_count
        self.validity = buffers[0] or None
        self.length = node.length
        if format == "u":
            self.offsets = memoryview(buffers[1]).cast("i")
            self.text = buffers[2]
        else:
            self.values = memoryview(buffers[1]).cast(LETTERS[format])

    def __len__(self):
        return self.length

    def valid(self, row):
        """Whether a row is not null."""
        return not self.validity or self.validity[row >> 3] >> (row & 7) & 1 == 1

    def mask(self):
        """For each row whether it is not null."""
        if not self.nulls:
            return [True] * self.length
        return [bool(byte >> bit & 1) for byte in self.validity for bit in range(8)][: self.length]

    def texts(self):
        """All strings, as bytes; null as None."""
        text, offsets = self.text, self.offsets.tolist()
        found = [text[begin:end] for begin, end in zip(offsets, offsets[1:])]
        if self.nulls:
            found = [one if valid else None for one, valid in zip(found, self.mask())]
        return found


class Frame:
    """A batch that the host holds: `frame[name]` copies one column in, `frame.read(…)` several in one crossing."""

    def __init__(self, raw, rows, input, schema):
        self.raw, self.rows, self.input, self.schema = raw, rows, input, schema

    def read(self, *names):
        """Columns by name."""
        return self.columns(*(self.schema.names.index(name) for name in names))

    def columns(self, *indices):
        """Columns by index."""
        try:
            arrays = self.raw.read(list(indices))
        except Err as error:
            raise data_error(str(error.value)) from None
        columns, at = [], 0
        for index, node in zip(indices, arrays.nodes):
            format = self.schema.fields[index].format
            count = 3 if format == "u" else 2
            columns.append(Column(format, node, arrays.buffers[at : at + count]))
            at += count
        return columns

    def __getitem__(self, name):
        return self.read(name)[0]

    def out(self):
        """Every row and column of this batch, until told otherwise."""
        return Output(len(self.schema.names), self.schema)


class Output:
    """One batch that leaves. Its methods answer it, so that they can be written one after the other."""

    def __init__(self, width=0, schema=None, port=0):
        self.port, self.schema = port, schema
        self.rows = types.Rows_All()
        self.sources = [types.Column_Input(index) for index in range(width)]
        self.untouched = True
        self.nodes, self.buffers = [], []
        self.rejections = []

    def keep(self, bits):
        """Only the rows whose bit is set; every made column has a value for each of those."""
        self.rows = types.Rows_Bitmap(bytes(bits))
        return self

    def replace(self, column, values, validity=None, nulls=0):
        """Values (an array or a memoryview) instead of a column, named or by index."""
        index = self.schema.names.index(column) if isinstance(column, str) else column
        self.untouched = False
        self.sources[index] = types.Column_Made()
        return self._made(len(values), validity, nulls, [bytes(values)])

    def add(self, values, validity=None, nulls=0):
        """The next column of fresh rows: numbers."""
        self.untouched = False
        self.sources.append(types.Column_Made())
        return self._made(len(values), validity, nulls, [bytes(values)])

    def add_texts(self, texts):
        """The next column of fresh rows: strings as bytes, null as None."""
        self.untouched = False
        self.sources.append(types.Column_Made())
        offsets, end = array("i", [0]), 0
        for text in texts:
            end += len(text or b"")
            offsets.append(end)
        nulls = sum(text is None for text in texts)
        validity = bits(text is not None for text in texts) if nulls else None
        return self._made(len(texts), validity, nulls, [offsets.tobytes(), b"".join(text or b"" for text in texts)])

    def _made(self, length, validity, nulls, buffers):
        self.nodes.append(types.Node(length, nulls if validity else 0, 0))
        self.buffers += [bytes(validity) if validity and nulls else b"", *buffers]
        return self

    def reject(self, row, reason):
        """Refuses a row of the batch; it must be among the rows of no output."""
        self.rejections.append(types.Rejection(row, reason))
        return self

    def raw(self):
        columns = types.Columns_Untouched() if self.untouched else types.Columns_Each(self.sources)
        return types.Output(self.port, self.rows, columns, types.Arrays(self.nodes, self.buffers))


def fresh(rows, port=0):
    """Rows that are not rows of an input: every column is added, in order."""
    output = Output(port=port)
    output.rows = types.Rows_Fresh(rows)
    output.untouched = False
    return output


def bits(flags):
    """One bit a flag, the least significant first."""
    packed, byte, at = bytearray(), 0, 0
    for flag in flags:
        byte |= bool(flag) << at
        at += 1
        if at == 8:
            packed.append(byte)
            byte = at = 0
    if at:
        packed.append(byte)
    return bytes(packed)


def field(name, format, nullable=False):
    """A field of a port's schema."""
    return types.Field(name, format, NULLABLE if nullable else types.FieldFlags(0), 0, [])


def port(*fields, name="out"):
    """A way out of fields of the stage's own."""
    return types.Port(name, types.Schema(list(fields), []))


# === configuration: annotations are settings ===


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


def _config_schema(cls, hints):
    properties = {}
    for name, hint in hints.items():
        properties[name] = _json_schema(hint)
        default = getattr(cls, name, None)
        if default is not None:
            properties[name]["default"] = default
    required = [name for name in hints if not hasattr(cls, name)]
    return json.dumps({"type": "object", "properties": properties, "required": required, "additionalProperties": False})


def _read_config(stage, hints, text):
    settings = json.loads(text)
    for name, value in settings.items():
        pointer = "/" + name.replace("~", "~0").replace("/", "~1")
        if name not in hints:
            raise config_error(pointer, "there is no such setting")
        if not _fits(value, hints[name]):
            raise config_error(pointer, f"expected {json.dumps(_json_schema(hints[name]))}")
        setattr(stage, name, value)
    for name in hints:
        if not hasattr(stage, name):
            raise config_error("", f"`{name}` is missing")


# === what the host calls ===


def _told(call):
    """The same call with its errors in the contract's terms: a defect is told in words, not by a trap."""

    def telling(*arguments):
        try:
            return call(*arguments)
        except StageError as error:
            raise Err(error.error) from None
        except Err:
            raise
        except Exception as error:
            raise Err(types.StageError_Internal(f"{type(error).__name__}: {error}")) from None

    return telling


def _answer(outputs):
    if outputs is None:
        return types.Answer([], [])
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    rejections = [rejection for output in outputs for rejection in output.rejections]
    return types.Answer([output.raw() for output in outputs], rejections)


def transform(*, name, version, summary, documentation=""):
    """Makes a class the transform that this component is."""

    def decorate(cls):
        import sys

        hints = typing.get_type_hints(cls)
        schema = _config_schema(cls, hints)
        stateful = hasattr(cls, "snapshot")

        class Transform(exports.Transform):
            stage = None

            def describe(self):
                return types.Description(name, version, summary, documentation, schema, stateful)

            @_told
            def open(self, config, inputs, restore):
                stage = cls()
                _read_config(stage, hints, config)
                inputs = [Input(input.name, Schema(input.schema)) for input in inputs]
                Transform.schemas = [input.schema for input in inputs]
                ports = stage.open(inputs) if hasattr(cls, "open") else None
                if restore is not None and stateful:
                    stage.restore(restore)
                Transform.stage = stage
                return ports or [types.Port("out", same_schema(inputs).raw)]

            @_told
            def process(self, input, rows, frame):
                return _answer(Transform.stage.process(Frame(frame, rows, input, Transform.schemas[input])))

            @_told
            def finish(self):
                outputs = Transform.stage.finish() if hasattr(cls, "finish") else None
                return None if outputs is None else _answer(outputs)

            @_told
            def snapshot(self):
                return Transform.stage.snapshot() if stateful else b""

        # componentize-py looks for the interface's name in the stage's module.
        sys.modules[cls.__module__].Transform = Transform
        return cls

    return decorate
