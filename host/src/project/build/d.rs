//! D, by LDC.

use super::{
    super::{
        language::Language,
        toolchain::{self, command, run},
    },
    Workshop,
};

// === impl Workshop ===

impl Workshop<'_> {
    pub(super) fn d(&self) -> Result<Vec<u8>, String> {
        let object = self.work.join("stage.o");
        let mut compiler = command(&toolchain::need(Language::D.tool())?, self.folder);
        compiler.args(["-mtriple=wasm32-unknown-unknown-wasm", "-mattr=+bulk-memory,+simd128", "-betterC", "-O3"]);
        compiler.arg(format!("-I={}", self.manifest.sdk.display())).args(["-i=parshall", "-c", "stage.d"]);
        compiler.arg(format!("-of={}", object.display()));
        run(compiler)?;
        self.link(&[&object])
    }
}
