"""What goes wrong, in the contract's terms, and where."""

import functools

from wit_world.imports import types
from componentize_py_types import Err

#: Of a defect, so many places of the stage's own code are told, the innermost first.
MOST_PLACES = 3


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


def unavailable(message):
    """Something outside did not answer: the same call may go well later."""
    return StageError(types.StageError_Unavailable(message))


def told(call):
    """The same call with its errors in the contract's terms: a defect is told in words, with its place, not by a trap."""

    @functools.wraps(call)
    def telling(*arguments):
        try:
            return call(*arguments)
        except StageError as error:
            raise Err(error.error) from None
        except Err:
            raise
        except Exception as error:
            raise Err(types.StageError_Internal(described(error))) from None

    return telling


def described(error):
    """A defect: its type, what it says, where it is, and what it came of."""
    text = f"{type(error).__name__}: {error}".rstrip(": ")
    places = _places(error)
    if places:
        text += f", at {', called at '.join(places)}"
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        where = _places(cause)[:1]
        text += f"; it came of {type(cause).__name__}: {cause}" + "".join(f", at {place}" for place in where)
    return text


def _places(error):
    """`stage.py:12 (process)`, of the stage's own code, the innermost first. A source is not read: there are no files here."""
    places, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if trace.tb_frame.f_globals.get("__package__") != __package__:
            places.append(f"{_relative(code.co_filename)}:{trace.tb_lineno} ({code.co_name})")
        trace = trace.tb_next
    return places[::-1][:MOST_PLACES]


def _relative(path):
    """A path from the folder in which the component's sources lie: /0/stage.py is stage.py."""
    parts = path.strip("/").split("/")
    return "/".join(parts[1:] if len(parts) > 1 and parts[0].isdigit() else parts)
