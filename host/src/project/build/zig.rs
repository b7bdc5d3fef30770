//! Zig.

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
    pub(super) fn zig(&self) -> Result<Vec<u8>, String> {
        let mut compiler = command(&toolchain::need(Language::Zig.tool())?, self.folder);
        compiler.args(["build-exe", "-target", "wasm32-freestanding", "-mcpu=generic+simd128+bulk_memory", "-O", "ReleaseSafe"]);
        compiler.args(["-fno-entry", "-rdynamic", "-fstrip", "--stack", STACK, "--dep", "parshall", "-Mroot=stage.zig"]);
        compiler.arg(format!("-Mparshall={}", self.sdk().join("parshall.zig").display()));
        compiler.arg(format!("-femit-bin={}", self.core().display()));
        run(compiler)?;
        self.component(&self.core())
    }
}
