"""What the host calls, of a class."""

import sys
import typing

from wit_world import exports
from wit_world.imports import types

from . import config
from .batch import Frame, opened
from .errors import told
from .schema import Input, Schema, same_schema


def _answer(outputs):
    if outputs is None:
        return types.Answer([], [])
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    rejections = [rejection for output in outputs for rejection in output.rejections]
    return types.Answer([output._raw() for output in outputs], rejections)


def _needs(cls, decorator, *methods):
    """What no such class can be without: said where the module is read, which is when it is built."""
    lacking = [method for method in methods if not callable(getattr(cls, method.split("(")[0], None))]
    if lacking:
        raise TypeError(f"class {cls.__name__} has no method {', '.join(lacking)}, which @parshall.{decorator} calls")


def _fed(cls, hints, settings, inputs):
    """A stage with its settings, and the inputs that feed it."""
    stage = cls()
    config.read(stage, hints, settings)
    return stage, [Input(input.name, Schema(input.schema)) for input in inputs]


def transform(*, name, version, summary, documentation=""):
    """Makes a class the transform that this component is."""

    def decorate(cls):
        _needs(cls, "transform", "process(self, frame)")
        hints = typing.get_type_hints(cls)
        schema = config.schema(cls, hints)
        stateful = hasattr(cls, "snapshot")

        class Transform(exports.Transform):
            stage = None

            def describe(self):
                return types.Description(name, version, summary, documentation, schema, stateful)

            @told
            def open(self, settings, inputs, restore):
                stage, inputs = _fed(cls, hints, settings, inputs)
                Transform.schemas = [input.schema for input in inputs]
                ports = stage.open(inputs) if hasattr(cls, "open") else None
                if restore is not None and stateful:
                    stage.restore(restore)
                Transform.stage = stage
                ports = ports or [types.Port("out", same_schema(inputs).raw)]
                opened(ports)
                return ports

            @told
            def process(self, input, rows, frame):
                return _answer(Transform.stage.process(Frame(frame, rows, input, Transform.schemas[input])))

            @told
            def finish(self):
                outputs = Transform.stage.finish() if hasattr(cls, "finish") else None
                return None if outputs is None else _answer(outputs)

            @told
            def snapshot(self):
                return Transform.stage.snapshot() if stateful else b""

        # componentize-py looks for the interface's name in the stage's module.
        sys.modules[cls.__module__].Transform = Transform
        return cls

    return decorate
