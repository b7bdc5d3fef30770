//! C: by clang where there is no Zig, otherwise by Zig.

use super::{
    super::{
        language::Language,
        toolchain::{self, command, run},
    },
    Workshop,
    link::STACK,
};

// === impl Workshop ===

impl Workshop<'_> {
    pub(super) fn c(&self) -> Result<Vec<u8>, String> {
        // Debian's clang and lld do as well as Zig's.
        let clang = toolchain::find("clang").filter(|_| toolchain::find("zig").is_none() && toolchain::find("wasm-ld").is_some());
        let mut compiler = match clang {
            Some(clang) => {
                let mut compiler = command(&clang, self.folder);
                compiler.arg("--target=wasm32-unknown-unknown");
                compiler
            }
            None => {
                let mut compiler = command(&toolchain::need(Language::C.tool())?, self.folder);
                compiler.args(["cc", "-target", "wasm32-freestanding"]);
                compiler
            }
        };
        compiler.args(["-std=c17", "-O3", "-Wall", "-Wno-unused-function", "-msimd128", "-mbulk-memory", "-nostdlib"]);
        compiler.args(["-Wl,--no-entry", "-Wl,--strip-all", &format!("-Wl,-z,stack-size={STACK}"), "-I"]);
        compiler.arg(self.sdk()).arg("stage.c").arg("-o").arg(self.core());
        run(compiler)?;
        self.component(&self.core())
    }
}
