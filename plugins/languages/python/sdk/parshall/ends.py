"""The two ends of a pipeline: extracts, which bring rows in, and loads, which take them out."""

import sys
import typing

from wit_world import exports
from wit_world.imports import types

from . import config
from .batch import Frame, Output, opened
from .errors import told
from .schema import Schema, field, port
from .stages import _fed, _needs


class Batch(typing.NamedTuple):
    """Rows from outside, and where to go on after them."""

    columns: dict
    position: bytes
    port: int = 0


def batch(columns, position="", port=0):
    """Rows as columns by name: lists, in which None is null, or arrays. `position` (text or bytes) is where to go on after them."""
    return Batch(columns, position.encode() if isinstance(position, str) else bytes(position), port)


def rows(rows, position="", port=0):
    """Rows as dictionaries; what one of them does not have is null."""
    names = {name: None for row in rows for name in row}
    return batch({name: [row.get(name) for row in rows] for name in names}, position, port)


def _made(ports, made):
    """A batch as the contract wants it. A column that it does not have is null in every row; none that the port does not have is lost."""
    schema = ports[made.port]
    unknown = [name for name in made.columns if name not in schema.names]
    if unknown:
        raise ValueError(f'there is no column "{unknown[0]}" in this batch\'s port: its columns are {", ".join(schema.names)}')
    lengths = {name: len(values) for name, values in made.columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns of one batch are of one length, and these are not: {lengths}")
    length = next(iter(lengths.values()), 0)
    output = Output(port=made.port)
    for name in schema.names:
        output.add(made.columns.get(name, [None] * length))
    return length, output


def _ports(ports):
    """Ports as the contract wants them, of `{"n": "l"}` or of ports."""
    return [port(*(field(name, format, nullable=True) for name, format in ports.items()))] if isinstance(ports, dict) else ports


def extract(*, name, version, summary, documentation="", columns=None):
    """Makes a class the extract that this component is. `columns` are its batches' by name, with the letters of their types."""

    def decorate(cls):
        _needs(cls, "extract", "batches(self, position)")
        hints = typing.get_type_hints(cls)
        schema = config.schema(cls, hints)

        from wit_world.exports import extract as contract

        class Extract(exports.Extract):
            batches = None

            def describe(self):
                return types.Description(name, version, summary, documentation, schema, True)

            @told
            def open(self, settings, position):
                stage = cls()
                config.read(stage, hints, settings)
                ports = _ports(stage.columns() if columns is None else columns)
                opened(ports)
                Extract.ports = [Schema(port.schema) for port in ports]
                # What stands before the first `yield` is for the first call of `next`.
                Extract.batches = iter(stage.batches(None if position is None else bytes(position)))
                return ports

            @told
            def next(self):
                made = next(Extract.batches, None)
                if made is None:
                    return None
                length, output = _made(Extract.ports, made)
                return contract.Extracted(made.port, contract.Values_Made(contract.Fresh(length, output._arrays())), made.position)

        # componentize-py looks for the interface's name in the stage's module.
        sys.modules[cls.__module__].Extract = Extract
        return cls

    return decorate


def load(*, name, version, summary, documentation=""):
    """Makes a class the load that this component is."""

    def decorate(cls):
        _needs(cls, "load", "write(self, frame)", "commit(self, last)")
        hints = typing.get_type_hints(cls)
        schema = config.schema(cls, hints)
        stateful = hasattr(cls, "snapshot")

        from wit_world.exports import load as contract

        class Load(exports.Load):
            stage = None

            def describe(self):
                return types.Description(name, version, summary, documentation, schema, stateful)

            @told
            def open(self, settings, inputs, restore):
                stage, inputs = _fed(cls, hints, settings, inputs)
                Load.schemas = [input.schema for input in inputs]
                if hasattr(cls, "open"):
                    stage.open(inputs)
                if restore is not None and stateful:
                    stage.restore(restore)
                Load.stage = stage

            @told
            def write(self, input, rows, frame):
                refused = Load.stage.write(Frame(frame, rows, input, Load.schemas[input])) or []
                return [types.Rejection(row, reason) for row, reason in refused]

            @told
            def commit(self, last):
                rows, location = Load.stage.commit(last)
                return contract.Receipt(rows, location)

            @told
            def snapshot(self):
                return Load.stage.snapshot() if stateful else b""

        # componentize-py looks for the interface's name in the stage's module.
        sys.modules[cls.__module__].Load = Load
        return cls

    return decorate
