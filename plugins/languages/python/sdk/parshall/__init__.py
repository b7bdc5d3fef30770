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

`extract` makes of a class what brings rows in, `load` what takes them out:

    @parshall.extract(name="hello", version="0.1.0", summary="Counts", columns={"n": "l"})
    class Hello:
        def batches(self, position): ...    # a generator; `position` is that of the last batch that was safely loaded, or None

    @parshall.load(name="hello", version="0.1.0", summary="Keeps rows")
    class Hello:
        def write(self, frame): ...         # one batch; may answer rows that are refused, with the reason: [(row, reason)]
        def commit(self, last): ...         # makes durable what was written; answers how many rows, and where they are

Columns are memoryviews over the bytes that the host copied in. The JSON Schema of the configuration is made from the
annotations.
"""

from .batch import Column, Frame, Output, bits, fresh
from .ends import batch, extract, load, rows
from .errors import StageError, config_error, data_error, schema_error, unavailable
from .schema import Input, Schema, field, port, same_schema
from .stages import transform
from .state import state
from .telemetry import count, log, observe

__all__ = [
    "Column", "Frame", "Input", "Output", "Schema", "StageError", "batch", "bits", "config_error", "count", "data_error", "extract", "field", "fresh",
    "load", "log", "observe", "port", "rows", "same_schema", "schema_error", "state", "transform", "unavailable",
]  # fmt: skip
