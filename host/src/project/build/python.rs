//! Python, by componentize-py.

use super::{
    super::{
        language::Language,
        toolchain::{self, command, run},
        wit,
    },
    Workshop,
};

// === impl Workshop ===

impl Workshop<'_> {
    pub(super) fn python(&self) -> Result<Vec<u8>, String> {
        let (tool, wit, out) = (toolchain::need(Language::Python.tool())?, self.world()?, self.work.join("made.wasm"));
        let mut tool = command(&tool, self.folder);
        tool.arg("-q").arg("-d").arg(wit).args(["-w", wit::WORLD, "componentize", "--stub-wasi", "-p", ".", "-p"]);
        tool.arg(self.sdk()).arg("stage").arg("-o").arg(&out);
        run(tool)?;
        self.read(&out)
    }
}
