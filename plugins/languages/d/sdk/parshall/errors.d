/// Errors of the contract: each way to fail answers false, so that `return fail…(…)` ends a call.
module parshall.errors;

import parshall.layout;

struct Failure {
    struct MaybeNumber { ubyte some; uint number; }
    struct MaybeText { ubyte some; Text text; }
    struct Config { Text pointer; MaybeNumber offset; Text message; MaybeText help; }
    struct Schema { MaybeText column; Text message; }

    ubyte tag;
    union { Config config; Schema schema; Text message; }
}

__gshared Failure failure;
__gshared bool failed;

/// The configuration is wrong at a JSON Pointer such as `/column`.
bool failConfig(string pointer, string message) {
    failed = true;
    failure = Failure.init;
    failure.tag = 0;
    failure.config = Failure.Config(Text(pointer), Failure.MaybeNumber(), Text(message), Failure.MaybeText());
    return false;
}

/// A column does not fit.
bool failSchema(string column, string message) {
    failed = true;
    failure.tag = 1;
    failure.schema = Failure.Schema(Failure.MaybeText(1, Text(column)), Text(message));
    return false;
}

/// The data is wrong, and no single row can be rejected for it.
bool failData(string message) { return fail(2, message); }

/// A defect of the stage itself.
bool failInternal(string message) { return fail(4, message); }

private bool fail(ubyte tag, string message) {
    failed = true;
    failure.tag = tag;
    failure.message = Text(message);
    return false;
}
