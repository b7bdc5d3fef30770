//! Go.

use super::{
    super::{
        language::Language,
        toolchain::{self, command, run},
    },
    Workshop,
};

// === impl Workshop ===

impl Workshop<'_> {
    pub(super) fn go(&self) -> Result<Vec<u8>, String> {
        let mut compiler = command(&toolchain::need(Language::Go.tool())?, self.folder);
        compiler.envs([("GOOS", "wasip1"), ("GOARCH", "wasm"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", "-mod=mod")]);
        compiler.args(["build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w -checklinkname=0", "-o"]).arg(self.core()).arg(".");
        run(compiler)?;
        self.component(&self.core())
    }
}
