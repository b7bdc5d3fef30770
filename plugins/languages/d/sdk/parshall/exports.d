/// What the host calls.
module parshall.exports;

import parshall.answer;
import parshall.config;
import parshall.errors;
import parshall.frame;
import parshall.layout;
import parshall.memory;
import parshall.schema;

/// What a stage says of itself.
struct Description {
    string name, version_, summary;
    /// JSON Schema of the configuration; without it, that of a stage without settings, or of any where Config has fields.
    string configSchema;
    /// Markdown.
    string documentation = "";
}

struct RawDescription {
    Text name, version_, summary, documentation, configSchema;
    ubyte stateful;
}

struct Result {
    struct Maybe { ubyte some; Answer answer; }
    ubyte failed;
    union { List!Input ports; List!ubyte bytes; Answer answer; Maybe maybe; Failure failure; }
}

/// The calls of one stage, in the contract's terms.
struct Calls(Stage) {
    private static __gshared Stage stage;
    private static __gshared RawDescription told;
    private static __gshared Result returned;

    private static void begin() {
        failed = false;
        forgetAnswer();
        returned = Result.init;
    }

    private static Result* end(bool ok) {
        if (!ok && !failed) failInternal("the stage failed without saying why");
        if (!ok) {
            returned.failed = 1;
            returned.failure = failure;
        }
        return &returned;
    }

    static RawDescription* describe() {
        enum Description d = Stage.description;
        enum stateful = __traits(hasMember, Stage, "snapshot");
        enum none = `{"type": "object", "additionalProperties": false}`, any = `{"type": "object"}`;
        enum configSchema = d.configSchema.length ? d.configSchema : Stage.Config.tupleof.length ? any : none;
        told = RawDescription(Text(d.name), Text(d.version_), Text(d.summary), Text(d.documentation), Text(configSchema), stateful);
        return &told;
    }

    static Result* open(const(char)* config, size_t configLength, const(Input)* inputs, size_t inputsLength, uint restores,
        const(ubyte)* restore, size_t restoreLength) {
        begin();
        portsLength = 0;
        const opening = Opening(inputs[0 .. inputsLength], restores != 0, restore[0 .. restores ? restoreLength : 0]);
        width = inputsLength ? inputs[0].schema.columns : 0;
        Stage.Config settings;
        stage = Stage.init;
        const ok = readConfig(cast(string) config[0 .. configLength], settings) && stage.open(settings, opening);
        returned.ports = List!Input(ports[0 .. portsLength]);
        return end(ok);
    }

    static Result* process(uint input, ulong rows, uint handle) {
        begin();
        auto frame = Frame(handle, input, cast(size_t) rows);
        const ok = stage.process(frame);
        frame.drop();
        returned.answer = reply;
        return end(ok);
    }

    static Result* finish() {
        begin();
        static if (__traits(hasMember, Stage, "finish")) {
            const some = stage.finish();
            returned.maybe = Result.Maybe(some, reply);
        } else {
            returned.maybe = Result.Maybe(0);
        }
        return end(!failed);
    }

    static Result* snapshot() {
        begin();
        static if (__traits(hasMember, Stage, "snapshot")) returned.bytes = List!ubyte(stage.snapshot());
        else returned.bytes = List!ubyte();
        return end(!failed);
    }
}

/// Makes a struct the transform that this component is.
mixin template Transform(Stage) {
    import ldc.attributes : llvmAttr;
    import parshall.layout : List, Text;
    import parshall.memory : callIsOver, reallocate;

    private alias parshallCalls = Calls!Stage;
    private enum parshallInterface = "parshall:stage/transform@0.1.0#";

    extern (C):
    @llvmAttr("wasm-export-name", parshallInterface ~ "describe")
    void* parshall_describe() { return parshallCalls.describe(); }
    @llvmAttr("wasm-export-name", parshallInterface ~ "open")
    void* parshall_open(const(char)* config, size_t configLength, const(Input)* inputs, size_t inputsLength, uint restores,
        const(ubyte)* restore, size_t restoreLength) {
        return parshallCalls.open(config, configLength, inputs, inputsLength, restores, restore, restoreLength);
    }
    @llvmAttr("wasm-export-name", parshallInterface ~ "process")
    void* parshall_process(uint input, ulong rows, uint handle) { return parshallCalls.process(input, rows, handle); }
    @llvmAttr("wasm-export-name", parshallInterface ~ "finish")
    void* parshall_finish() { return parshallCalls.finish(); }
    @llvmAttr("wasm-export-name", parshallInterface ~ "snapshot")
    void* parshall_snapshot() { return parshallCalls.snapshot(); }

    @llvmAttr("wasm-export-name", "cabi_post_" ~ parshallInterface ~ "open")
    void parshall_after_open(void*) { callIsOver(); }
    @llvmAttr("wasm-export-name", "cabi_post_" ~ parshallInterface ~ "process")
    void parshall_after_process(void*) { callIsOver(); }
    @llvmAttr("wasm-export-name", "cabi_post_" ~ parshallInterface ~ "finish")
    void parshall_after_finish(void*) { callIsOver(); }
    @llvmAttr("wasm-export-name", "cabi_post_" ~ parshallInterface ~ "snapshot")
    void parshall_after_snapshot(void*) { callIsOver(); }

    @llvmAttr("wasm-export-name", "cabi_realloc")
    void* parshall_cabi_realloc(void* old, size_t oldSize, size_t alignment, size_t size) {
        return reallocate(old, oldSize, alignment, size);
    }
}

/// An index out of bounds, an assertion that fails: both say where.
extern (C) void __assert(const(char)* message, const(char)* file, int line) {
    string of(const(char)* text) {
        size_t length;
        while (text && text[length]) length++;
        return cast(string) text[0 .. length];
    }
    panic(join("panicked at ", of(file), ":", decimal(line), ": ", of(message)));
}
