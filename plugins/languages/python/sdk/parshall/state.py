"""State that outlives the instance: under the grant `state = true`, with `imports = ["state"]` in `stage.toml`."""

from componentize_py_types import Err
from wit_world.imports import types

from .errors import StageError
from .imported import interface


class State:
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
        store = interface("state")
        try:
            return getattr(store, call)(*arguments)
        except Err as refused:
            unavailable = isinstance(refused.value, store.StateError_Unavailable)
            error = types.StageError_Unavailable if unavailable else types.StageError_Internal
            raise StageError(error(refused.value.value)) from None


state = State()
