//! C++, by Zig.

use super::{
    super::{
        language::Language,
        toolchain::{self, command, run},
    },
    Workshop,
};

// === impl Workshop ===

impl Workshop<'_> {
    /// The C++ library's headers are those of Zig's WASI target; what they need compiled is in the SDK, so nothing of WASI is linked.
    pub(super) fn cpp(&self) -> Result<Vec<u8>, String> {
        let object = self.work.join("stage.o");
        let mut compiler = command(&toolchain::need(Language::Cpp.tool())?, self.folder);
        compiler.args(["c++", "-target", "wasm32-wasi", "-std=c++23", "-O3", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"]);
        compiler.args(["-Wall", "-Wno-unused-function", "-msimd128", "-mbulk-memory", "-I"]).arg(self.sdk());
        compiler.args(["-c", "stage.cpp", "-o"]).arg(&object);
        run(compiler)?;
        self.link(&[&object])
    }
}
