//! What makes a module of object files: Zig's linker, for C++, D and Swift.

use std::path::Path;

use super::{
    super::{
        language::{Language, Tool},
        toolchain::{self, command, run},
    },
    Workshop,
};

/// The stack of a core module that has no need to recurse: Zig would reserve 16 MiB.
pub const STACK: &str = "262144";

// === impl Workshop ===

impl Workshop<'_> {
    /// Object files and C, with what compilers take for granted (`memcpy`) and no more.
    pub(super) fn link(&self, parts: &[&Path]) -> Result<Vec<u8>, String> {
        let mut linker = command(&toolchain::need(Tool { asked: self.manifest.language.name(), ..Language::C.tool() })?, self.folder);
        linker.args(["cc", "-target", "wasm32-freestanding", "-O3", "-mbulk-memory", "-Wl,--no-entry", "-Wl,--strip-all"]);
        linker.arg(format!("-Wl,-z,stack-size={STACK}")).args(parts).arg("-o").arg(self.core());
        run(linker)?;
        self.component(&self.core())
    }
}
