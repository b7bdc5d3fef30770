//! JavaScript and TypeScript: modules in one folder, of which an engine makes a component.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    super::{
        language::{self, Language, Tool},
        manifest::Engine,
        toolchain::{self, command, run},
        wit,
    },
    Workshop,
};

// === impl Workshop ===

impl Workshop<'_> {
    pub(super) fn javascript(&self) -> Result<Vec<u8>, String> {
        let sources = self.work.join("javascript");
        copy(&self.folder.join("stage.js"), &sources.join("stage.js"))?;
        self.run_by_engine(&sources)
    }

    /// The compiler checks types and leaves them out; where its modules go and which it takes, the project's `tsconfig.json` says.
    pub(super) fn typescript(&self) -> Result<Vec<u8>, String> {
        let sources = self.work.join("typescript");
        let mut compiler = command(&toolchain::need(Language::TypeScript.tool())?, self.folder);
        compiler.args(["--project", ".", "--outDir"]).arg(&sources);
        run(compiler)?;
        self.run_by_engine(&sources)
    }

    /// `stage.js` in a folder, the SDK's module beside it, and an engine around them.
    fn run_by_engine(&self, sources: &Path) -> Result<Vec<u8>, String> {
        copy(&self.sdk().join("parshall.js"), &sources.join("parshall.js"))?;
        let out = self.work.join("made.wasm");
        match self.manifest.engine {
            Engine::QuickJs => self.quickjs(sources, &out),
            Engine::StarlingMonkey => self.starlingmonkey(sources, &out),
        }
    }

    fn quickjs(&self, sources: &Path, out: &Path) -> Result<Vec<u8>, String> {
        let mut tool =
            command(&toolchain::need(Tool { asked: self.manifest.language.name(), ..Language::JavaScript.tool() })?, self.folder);
        tool.arg("--wit").arg(self.world()?).args(["--world", wit::WORLD, "--sync", "--stub-wasi", "--module-root"]).arg(sources);
        tool.arg("--js").arg(sources.join("stage.js")).arg("-o").arg(out);
        run(tool)?;
        componentize::give_back(&self.read(out)?).map_err(|error| format!("{error:#}"))
    }

    /// It takes one module, so that all are made one before. What it could do with WASI is left out.
    fn starlingmonkey(&self, sources: &Path, out: &Path) -> Result<Vec<u8>, String> {
        let module: PathBuf = self.work.join("stage.js");
        let mut bundler = command(&toolchain::need(language::BUNDLER)?, self.folder);
        bundler.arg(sources.join("stage.js")).args(["--bundle", "--format=esm", "--log-level=warning"]);
        bundler.arg(format!("--outfile={}", module.display()));
        run(bundler)?;
        let mut tool = command(&toolchain::need(language::STARLINGMONKEY)?, self.folder);
        tool.arg(&module).arg("--wit").arg(self.world()?).args(["--world-name", wit::WORLD, "-o"]).arg(out);
        tool.args(["--disable", "stdio", "random", "clocks", "http", "fetch-event"]);
        run(tool)?;
        self.read(out)
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let copied = to.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::copy(from, to));
    copied.map(drop).map_err(|error| format!("{}: {error}", from.display()))
}
