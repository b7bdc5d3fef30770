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

/// The configuration is wrong at a JSON Pointer such as `/column`; `help` says what to do about it.
bool failConfig(string pointer, string message, string help = "") {
    failed = true;
    failure = Failure.init;
    failure.tag = 0;
    failure.config = Failure.Config(Text(pointer), Failure.MaybeNumber(), Text(message), Failure.MaybeText(help.length > 0, Text(help)));
    return false;
}

/// A column does not fit; without a name, it is the whole schema.
bool failSchema(string column, string message) {
    failed = true;
    failure.tag = 1;
    failure.schema = Failure.Schema(Failure.MaybeText(column.length > 0, Text(column)), Text(message));
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

/// Ends the instance, with words that the host tells: for what cannot be. The host finds them in memory, after the mark
/// `parshall:trapped`, which is put together only here.
noreturn panic(string message) {
    import core.volatile : volatileStore;
    import ldc.intrinsics : llvm_trap;

    static struct Words { align(8) ulong[2] mark; uint at, length; }
    static __gshared Words words;
    volatileStore(&words.mark[0], 0x6c6c616873726170);
    volatileStore(&words.mark[1], 0x646570706172743a);
    volatileStore(&words.at, cast(uint) message.ptr);
    volatileStore(&words.length, cast(uint) message.length);
    llvm_trap();
    assert(0);
}
