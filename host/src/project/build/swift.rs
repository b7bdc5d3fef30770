//! Embedded Swift.

use std::fs;

use super::{
    super::{
        language::Language,
        toolchain::{self, command, run},
    },
    Workshop,
};

// === impl Workshop ===

impl Workshop<'_> {
    /// One module of the stage and the SDK; what Embedded Swift asks of a machine is the SDK's, in C.
    pub(super) fn swift(&self) -> Result<Vec<u8>, String> {
        let (sdk, object) = (self.sdk(), self.work.join("stage.o"));
        let files = fs::read_dir(&sdk).map_err(|error| format!("{}: {error}", sdk.display()))?;
        let mut sources: Vec<_> =
            files.filter_map(|file| Some(file.ok()?.path())).filter(|file| file.extension() == Some("swift".as_ref())).collect();
        sources.sort();
        let mut compiler = command(&toolchain::need(Language::Swift.tool())?, self.folder);
        compiler.args(["-frontend", "-c", "stage.swift"]).args(sources).args(["-parse-as-library", "-module-name", "stage", "-wmo", "-O"]);
        compiler.args(["-target", "wasm32-unknown-none-wasm", "-enable-experimental-feature", "Embedded"]);
        compiler.args(["-enable-experimental-feature", "Extern", "-o"]).arg(&object);
        run(compiler)?;
        self.link(&[&object, &sdk.join("memory.c")])
    }
}
