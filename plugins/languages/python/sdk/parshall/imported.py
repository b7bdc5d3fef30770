"""The interfaces that only a component whose `stage.toml` says `imports = […]` has."""

try:
    from wit_world.imports import telemetry
except ImportError:
    telemetry = None
try:
    from wit_world.imports import state
except ImportError:
    state = None


def interface(name):
    """The bindings of an interface of the contract."""
    found = globals()[name]
    if found is None:
        raise RuntimeError(f'`imports = ["{name}"]` is missing from stage.toml')
    return found
