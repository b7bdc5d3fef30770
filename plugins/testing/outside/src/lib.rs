//! What a stage can do with the world outside through WASI 0.2: tell the time, wait, be random, ask a server. What it
//! found it tells as an error of the data, which a test can read.

mod http;

use std::{
    hash::{BuildHasher, RandomState},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

wit_bindgen::generate!({ world: "transformer", path: "../../../wit" });

use exports::parshall::stage::transform::{Answer, Description, Frame, Guest, Input, Port, StageError};

struct Outside;

/// The configuration is `{"mode":"…","url":"…"}`; every mode is told in the README.
static CONFIG: std::sync::OnceLock<(String, String)> = std::sync::OnceLock::new();

const HOUR: Duration = Duration::from_secs(3600);

impl Guest for Outside {
    fn describe() -> Description {
        Description {
            name: "outside".into(),
            version: "0.1.0".into(),
            summary: "Tells the time, waits, is random, asks a server".into(),
            documentation: format!("{} s since 1970, {:?}", since_1970(), random_bytes()),
            config_schema: r#"{"type":"object","properties":{"mode":{"type":"string"},"url":{"type":"string"}}}"#.into(),
            stateful: false,
        }
    }

    fn open(config: String, inputs: Vec<Input>, _: Option<Vec<u8>>) -> Result<Vec<Port>, StageError> {
        let word = |at| config.split('"').nth(at).unwrap_or_default().to_owned();
        CONFIG.get_or_init(|| (word(3), word(7)));
        Ok(inputs.into_iter().map(|input| Port { name: "out".into(), schema: input.schema }).collect())
    }

    fn process(_: u32, _: u64, _: &Frame) -> Result<Answer, StageError> {
        let (mode, url) = CONFIG.get().map_or(("", ""), |(mode, url)| (mode, url));
        let found = match mode {
            "time" => {
                let started = Instant::now();
                thread::sleep(Duration::from_millis(20));
                format!("{} {}", since_1970(), started.elapsed().as_millis())
            }
            "sleep" => {
                thread::sleep(HOUR);
                "awake".into()
            }
            "block" => {
                wasip2::clocks::monotonic_clock::subscribe_duration(u64::MAX).block();
                "awake".into()
            }
            "hoard" => loop {
                std::mem::forget(wasip2::clocks::monotonic_clock::subscribe_duration(0));
            },
            "random" => format!("{} {}", RandomState::new().hash_one(0) != RandomState::new().hash_one(1), random_bytes().len()),
            "random-bomb" => wasip2::random::random::get_random_bytes(1 << 40).len().to_string(),
            "get" => http::get(url),
            "post" => http::post(url, &"z".repeat(200_000)),
            "twice" => format!("{} {}", http::get(url), http::get(url)),
            "many" => http::many(url),
            "raw" => http::raw(url),
            "stuck-body" => http::stuck_body(),
            other => format!("there is no mode `{other}`"),
        };
        Err(StageError::Data(found))
    }

    fn finish() -> Result<Option<Answer>, StageError> {
        Ok(None)
    }

    fn snapshot() -> Result<Vec<u8>, StageError> {
        Ok(vec![])
    }
}

fn since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn random_bytes() -> Vec<u8> {
    wasip2::random::random::get_random_bytes(4)
}

export!(Outside);
