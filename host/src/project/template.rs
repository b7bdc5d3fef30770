//! What `parshall new` writes: the `hello` stage of a language under another name, its SDK, a test, a page.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    language::Language,
    manifest::{self, KindWord, MANIFEST},
};
use crate::words::shown::shown;

/// A file of a template: where it goes and what is in it.
type File = (&'static str, &'static str);

macro_rules! files {
    ($folder:literal: $($to:literal from $from:literal),* $(,)?) => {
        &[$(($to, include_str!(concat!("../../../plugins/languages/", $folder, "/", $from)))),*]
    };
}

const C: &[File] = files!["c": "stage.c" from "hello/stage.c", "sdk/parshall.h" from "sdk/parshall.h"];
const CPP: &[File] = files![
    "cpp": "stage.cpp" from "hello/stage.cpp", "sdk/parshall.hpp" from "sdk/parshall.hpp", "sdk/parshall.h" from "sdk/parshall.h",
];
const ZIG: &[File] = files!["zig": "stage.zig" from "hello/stage.zig", "sdk/parshall.zig" from "sdk/parshall.zig"];
const PYTHON: &[File] = files![
    "python": "stage.py" from "hello/stage.py", "sdk/parshall/__init__.py" from "sdk/parshall/__init__.py",
    "sdk/parshall/ends.py" from "sdk/parshall/ends.py",
    "sdk/parshall/batch.py" from "sdk/parshall/batch.py", "sdk/parshall/config.py" from "sdk/parshall/config.py",
    "sdk/parshall/errors.py" from "sdk/parshall/errors.py", "sdk/parshall/imported.py" from "sdk/parshall/imported.py",
    "sdk/parshall/kinds.py" from "sdk/parshall/kinds.py", "sdk/parshall/schema.py" from "sdk/parshall/schema.py",
    "sdk/parshall/stages.py" from "sdk/parshall/stages.py", "sdk/parshall/state.py" from "sdk/parshall/state.py",
    "sdk/parshall/telemetry.py" from "sdk/parshall/telemetry.py",
];
const JAVASCRIPT: &[File] = files![
    "javascript": "stage.js" from "hello/stage.js", "sdk/parshall.js" from "sdk/parshall.js", "sdk/parshall.d.ts" from "sdk/parshall.d.ts",
];
const TYPESCRIPT: &[File] = files![
    "typescript": "stage.ts" from "hello/stage.ts", "tsconfig.json" from "hello/tsconfig.json",
    "sdk/parshall.js" from "sdk/parshall.js", "sdk/parshall.d.ts" from "sdk/parshall.d.ts",
];
const D: &[File] = files![
    "d": "stage.d" from "hello/stage.d", "sdk/parshall/package.d" from "sdk/parshall/package.d",
    "sdk/parshall/answer.d" from "sdk/parshall/answer.d", "sdk/parshall/config.d" from "sdk/parshall/config.d",
    "sdk/parshall/errors.d" from "sdk/parshall/errors.d", "sdk/parshall/exports.d" from "sdk/parshall/exports.d",
    "sdk/parshall/frame.d" from "sdk/parshall/frame.d", "sdk/parshall/layout.d" from "sdk/parshall/layout.d",
    "sdk/parshall/memory.d" from "sdk/parshall/memory.d", "sdk/parshall/schema.d" from "sdk/parshall/schema.d",
];
const SWIFT: &[File] = files![
    "swift": "stage.swift" from "hello/stage.swift", "sdk/Errors.swift" from "sdk/Errors.swift", "sdk/Frame.swift" from "sdk/Frame.swift",
    "sdk/Memory.swift" from "sdk/Memory.swift", "sdk/Output.swift" from "sdk/Output.swift", "sdk/Schema.swift" from "sdk/Schema.swift",
    "sdk/Settings.swift" from "sdk/Settings.swift", "sdk/Stage.swift" from "sdk/Stage.swift", "sdk/Text.swift" from "sdk/Text.swift",
    "sdk/memory.c" from "sdk/memory.c",
];
const ASSEMBLYSCRIPT: &[File] = files![
    "assemblyscript": "stage.ts" from "hello/stage.ts", "sdk/parshall.ts" from "sdk/parshall.ts", "sdk/answer.ts" from "sdk/answer.ts",
    "sdk/config.ts" from "sdk/config.ts", "sdk/errors.ts" from "sdk/errors.ts", "sdk/exports.ts" from "sdk/exports.ts",
    "sdk/frame.ts" from "sdk/frame.ts", "sdk/layout.ts" from "sdk/layout.ts", "sdk/memory.ts" from "sdk/memory.ts",
    "sdk/names.mjs" from "sdk/names.mjs", "sdk/schema.ts" from "sdk/schema.ts", "sdk/stage.ts" from "sdk/stage.ts",
];
const GO: &[File] = files![
    "go": "stage.go" from "hello/stage.go", "go.mod" from "hello/go.mod", "sdk/go.mod" from "sdk/go.mod",
    "sdk/parshall.go" from "sdk/parshall.go", "sdk/abi.go" from "sdk/abi.go", "sdk/answer.go" from "sdk/answer.go",
    "sdk/errors.go" from "sdk/errors.go", "sdk/frame.go" from "sdk/frame.go", "sdk/reply.go" from "sdk/reply.go",
    "sdk/schema.go" from "sdk/schema.go",
];
const RUST: &[File] = files![
    "rust": "src/lib.rs" from "hello/src/lib.rs", "Cargo.toml" from "hello/Cargo.toml", "sdk/Cargo.toml" from "sdk/Cargo.toml",
    "sdk/src/lib.rs" from "sdk/src/lib.rs", "sdk/src/abi.rs" from "sdk/src/abi.rs", "sdk/src/answer.rs" from "sdk/src/answer.rs",
    "sdk/src/config.rs" from "sdk/src/config.rs", "sdk/src/exports.rs" from "sdk/src/exports.rs", "sdk/src/frame.rs" from "sdk/src/frame.rs",
    "sdk/src/last_words.rs" from "sdk/src/last_words.rs", "sdk/src/schema.rs" from "sdk/src/schema.rs",
];

/// A test that every template has: the stage does the same in every language.
const TEST: &[File] = files![
    "test/doubles": "tests/doubles/case.toml" from "case.toml", "tests/doubles/input.csv" from "input.csv",
    "tests/doubles/output.csv" from "output.csv",
];

/// What stands in the place of the stage and its test where it is no transform, which is in Python.
const EXTRACT: &[File] = files![
    "python": "stage.py" from "hello_extract/stage.py", "tests/counts/case.toml" from "hello_extract/tests/counts/case.toml",
    "tests/counts/output.csv" from "hello_extract/tests/counts/output.csv",
];
const LOAD: &[File] = files![
    "python": "stage.py" from "hello_load/stage.py", "tests/sums/case.toml" from "hello_load/tests/sums/case.toml",
    "tests/sums/input.csv" from "hello_load/tests/sums/input.csv", "tests/sums/receipt.csv" from "hello_load/tests/sums/receipt.csv",
    "tests/sums/rejected.csv" from "hello_load/tests/sums/rejected.csv",
];

/// A project that was made.
pub struct Project {
    /// Its folder.
    pub folder: PathBuf,
    /// Its files, from there.
    pub files: Vec<String>,
}

/// Makes a project in a new folder of this name. Nothing that is there is written over.
pub fn create(parent: &Path, name: &str, kind: KindWord, language: Language) -> Result<Project, String> {
    manifest::fits(name)?;
    kind.fits(language)?;
    let folder = parent.join(name);
    if folder.exists() {
        let folder = shown(&folder);
        return Err(format!(
            "`{}` is there already, and nothing is written over\n  = help: another name, or another folder",
            folder.display()
        ));
    }
    let mut files = Vec::new();
    let mut put = |path: &str, text: &str| {
        let file = folder.join(path);
        let written = file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&file, text));
        files.push(path.to_owned());
        written.map_err(|error| format!("{}: {error}", file.display()))
    };
    let imports = if kind == KindWord::Load { "imports = [\"telemetry\"]\n" } else { "" };
    put(MANIFEST, &format!("name = \"{name}\"\nkind = \"{}\"\nlanguage = \"{}\"\n{imports}", kind.name(), language.name()))?;
    put("README.md", &page(name, kind, language))?;
    put(".gitignore", "build\n")?;
    let (stage, sdk) = sources(language).split_first().unwrap_or((&("", ""), &[]));
    let (stage, test) = match kind {
        KindWord::Extract => (&EXTRACT[0], &EXTRACT[1..]),
        KindWord::Transform => (stage, TEST),
        KindWord::Load => (&LOAD[0], &LOAD[1..]),
    };
    for (path, text) in [stage].into_iter().chain(sdk).chain(test) {
        put(path, &named(path, text, name))?;
    }
    Ok(Project { folder, files })
}

fn sources(language: Language) -> &'static [File] {
    match language {
        Language::Rust => RUST,
        Language::C => C,
        Language::Cpp => CPP,
        Language::Python => PYTHON,
        Language::JavaScript => JAVASCRIPT,
        Language::TypeScript => TYPESCRIPT,
        Language::Go => GO,
        Language::Zig => ZIG,
        Language::D => D,
        Language::Swift => SWIFT,
        Language::AssemblyScript => ASSEMBLYSCRIPT,
    }
}

/// The template under the project's name; its SDK lies inside the project, not beside it.
fn named(path: &str, text: &str, name: &str) -> String {
    match path {
        _ if path.starts_with("sdk/") => text.to_owned(),
        "go.mod" => text.replace("module hello", &format!("module {name}")).replace("../sdk", "./sdk"),
        "tsconfig.json" => text.replace("../sdk", "sdk"),
        "Cargo.toml" => text.replace("hello", name).replace("../sdk", "sdk"),
        "stage.ts" => text.replace("\"hello\"", &format!("\"{name}\"")).replace("../sdk/", "./sdk/"),
        _ => text.replace("\"hello\"", &format!("\"{name}\"")),
    }
}

fn page(name: &str, kind: KindWord, language: Language) -> String {
    let (does, expected, stands) = match kind {
        KindWord::Extract => (
            "Counts, in batches; begun again, it goes on where it was",
            "`output.csv`, `error.txt`",
            format!("[extract.{name}]\ncomponent = \"{name}/build/{name}.wasm\""),
        ),
        KindWord::Transform => (
            "Doubles the column `n`; every other column passes by without entering the sandbox",
            "`output.csv`, `rejected.csv`, `error.txt`",
            format!("[transform.{name}]\ncomponent = \"{name}/build/{name}.wasm\"\ninputs = [\"…\"]"),
        ),
        KindWord::Load => (
            "Sums the column `n`, and tells the sum at every commit",
            "`receipt.csv`, `rejected.csv`, `error.txt`",
            format!("[load.{name}]\ncomponent = \"{name}/build/{name}.wasm\"\ninputs = [\"…\"]\ngrants = {{ telemetry = true }}"),
        ),
    };
    let input = if kind == KindWord::Extract { "" } else { ", `input.csv` (or `.jsonl`, `.arrow`, `.parquet`)" };
    let sample = match kind {
        KindWord::Extract => "",
        KindWord::Transform => " --input tests/doubles/input.csv",
        KindWord::Load => " --input tests/sums/input.csv --grant telemetry",
    };
    let source = sources(language)[0].0;
    let tool = language.tool();
    format!(
        "# {name}\n\
         {does}. The stage is `{source}`, the SDK lies in `sdk/`.\n\n\
         ```sh\n\
         parshall build                          # build/{name}.wasm\n\
         parshall test                           # the cases in tests/, in the real host\n\
         parshall conformance build/{name}.wasm{sample}\n\
         ```\n\n\
         Needs `{}`, which {}: {}.\n\n\
         A case is a folder in `tests/`: `case.toml` (the configuration){input}, and what is\n\
         expected: {expected}. `parshall test --update` writes what came as what is expected.\n\n\
         In a pipeline:\n\n\
         ```toml\n{stands}\n```\n",
        tool.command, tool.purpose, tool.install
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::ValueEnum as _;

    use super::*;

    /// Protects against a template that lacks a file which the SDK has gained.
    #[test]
    fn a_project_has_the_whole_sdk() {
        for language in Language::value_variants() {
            let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/languages")).join(language.name()).join("sdk");
            let mut there = BTreeSet::new();
            let mut folders = vec![root.clone()];
            while let Some(folder) = folders.pop() {
                for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
                    match entry.file_type().unwrap().is_dir() {
                        true => folders.push(entry.path()),
                        false => drop(there.insert(entry.path().strip_prefix(root.parent().unwrap()).unwrap().display().to_string())),
                    }
                }
            }
            there.retain(|file| !file.ends_with("README.md") && !file.ends_with("Cargo.lock") && !file.contains("__pycache__"));
            let embedded: BTreeSet<_> =
                sources(*language).iter().map(|(path, _)| (*path).to_owned()).filter(|path| path.starts_with("sdk/")).collect();
            assert_eq!(embedded, there, "{}", language.name());
        }
    }

    /// Protects the promise of a stage in twenty lines.
    #[test]
    fn hello_takes_twenty_lines_at_most() {
        for language in Language::value_variants() {
            let (path, text) = sources(*language)[0];
            let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
            assert!(lines <= 20, "{path} of {} has {lines} lines", language.name());
        }
        for (_, text) in [EXTRACT[0], LOAD[0]] {
            let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
            assert!(lines <= 20, "{text} has {lines} lines");
        }
    }
}
