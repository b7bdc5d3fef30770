"""Logs, counters, histograms: under the grant `telemetry = true`, with `imports = ["telemetry"]` in `stage.toml`."""

from .imported import interface


def _value(telemetry, value):
    for kind, case in ((bool, "Flag"), (int, "Integer"), (float, "Number")):
        if isinstance(value, kind):
            return getattr(telemetry, f"Value_{case}")(value)
    return telemetry.Value_Text(str(value))


def log(level, message, attributes={}):
    """Writes a log record that carries the call's context; the level is "trace", "debug", "info", "warn" or "error"."""
    telemetry = interface("telemetry")
    pairs = [telemetry.Attribute(key, _value(telemetry, value)) for key, value in attributes.items()]
    telemetry.log(telemetry.Level[level.upper()], message, pairs)


def count(name, by=1):
    """Adds to a counter of the stage's own."""
    interface("telemetry").count(name, by)


def observe(name, value):
    """Observes a value in a histogram of the stage's own."""
    interface("telemetry").observe(name, float(value))
