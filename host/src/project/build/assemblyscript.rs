//! AssemblyScript.

use std::path::Path;

use super::{
    super::{
        language::Language,
        toolchain::{self, command, run},
    },
    Workshop,
};

// === impl Workshop ===

impl Workshop<'_> {
    /// Its exports have the contract's names by a transform of the compiler's that is part of the SDK, as is what `throw` comes to.
    pub(super) fn assemblyscript(&self) -> Result<Vec<u8>, String> {
        let sdk = &self.manifest.sdk;
        let mut compiler = command(&toolchain::need(Language::AssemblyScript.tool())?, self.folder);
        compiler.arg("stage.ts").arg(sdk.join("exports.ts")).args(["-O3", "--noAssert", "--enable", "simd", "--use"]);
        compiler.arg(format!("abort={}", sdk.join("errors/panic").display()));
        compiler.arg("--transform").arg(Path::new(".").join(sdk).join("names.mjs")).args(["--outFile", "build/core.wasm"]);
        run(compiler)?;
        self.component(&self.core())
    }
}
