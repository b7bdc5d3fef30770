//! What any Rust program does with its standard library and no thought of a host: prints, reads its environment, panics.
//! Built for `wasm32-wasip2` with plain `wit-bindgen`, as somebody would who never heard of our SDK.

use std::io::{Read, Write};

wit_bindgen::generate!({ world: "transformer", path: "../../../wit" });

use exports::parshall::stage::transform::{Answer, Description, Frame, Guest, Input, Port, StageError};
use parshall::stage::types::{Arrays, Columns, Output, Rows};

struct Stdio;

/// The configuration is `{"mode":"…"}`; every mode is told in the README.
static MODE: std::sync::OnceLock<String> = std::sync::OnceLock::new();

impl Guest for Stdio {
    fn describe() -> Description {
        Description {
            name: "stdio".into(),
            version: "0.1.0".into(),
            summary: "Prints, reads its environment, panics".into(),
            documentation: String::new(),
            config_schema: r#"{"type":"object","properties":{"mode":{"type":"string"}}}"#.into(),
            stateful: false,
        }
    }

    fn open(config: String, inputs: Vec<Input>, _: Option<Vec<u8>>) -> Result<Vec<Port>, StageError> {
        let mode = config.split('"').nth(3).unwrap_or_default();
        MODE.get_or_init(|| mode.to_owned());
        Ok(inputs.into_iter().map(|input| Port { name: "out".into(), schema: input.schema }).collect())
    }

    fn process(_: u32, rows: u64, _: &Frame) -> Result<Answer, StageError> {
        match MODE.get().map_or("", String::as_str) {
            "print" => {
                println!("{rows} rows came");
                eprintln!("one looks odd");
                print!("and this line has no end");
                std::io::stdout().flush().map_err(|error| StageError::Internal(error.to_string()))?;
            }
            "flood" => (0..1_000).for_each(|line| println!("line {line}")),
            "long-line" => println!("{}", "x".repeat(1 << 20)),
            "no-newline" => (0..1_000).for_each(|_| print!("{}", "y".repeat(1_000))),
            "forged" => println!("all is well\r\u{1b}[31mERROR forged"),
            "bytes" => std::io::stdout().write_all(b"\xff\xfe\n").map_err(|error| StageError::Internal(error.to_string()))?,
            "environment" => {
                let all: Vec<String> = std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
                return Err(StageError::Data(format!("{} {:?}", all.join(" "), std::env::args().collect::<Vec<_>>())));
            }
            "stdin" => {
                let mut text = Vec::new();
                let read = std::io::stdin().read_to_end(&mut text);
                return Err(StageError::Data(format!("{read:?}")));
            }
            "files" => return Err(StageError::Data(format!("{:?}", std::fs::read("/etc/passwd").map(|bytes| bytes.len())))),
            "exit" => std::process::exit(3),
            "panic" => panic!("no luck with {rows} rows"),
            other => return Err(StageError::Data(format!("there is no mode `{other}`"))),
        }
        let made = Arrays { nodes: vec![], buffers: vec![] };
        let all = Output { port: 0, rows: Rows::All, columns: Columns::Untouched, made };
        Ok(Answer { outputs: vec![all], rejections: vec![] })
    }

    fn finish() -> Result<Option<Answer>, StageError> {
        Ok(None)
    }

    fn snapshot() -> Result<Vec<u8>, StageError> {
        Ok(vec![])
    }
}

export!(Stdio);
