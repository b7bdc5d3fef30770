//! A stage that misbehaves in one way, which its configuration chooses. It speaks the contract's raw types: the SDK's
//! builders would not let it. One misbehaviour a file.

mod arrays;
mod calls;
mod lie;
mod recipes;
mod schemas;

use std::cell::Cell;

use lie::{Answered, Lie, Opened, config_error};
use parshall_sdk::{
    abi::{self, List, Maybe, Outcome, Text, imports::frames},
    prelude::*,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    mode: String,
}

const DESCRIPTION: Description = describe!("Misbehaves in the way that it is told to");

/// The misbehaviour that was chosen.
struct Chosen(Cell<Option<Lie>>);

// A guest has one thread.
unsafe impl Sync for Chosen {}

static CHOSEN: Chosen = Chosen(Cell::new(None));

fn every_lie() -> impl Iterator<Item = &'static Lie> {
    [calls::LIES, schemas::LIES, arrays::LIES, recipes::LIES].into_iter().flatten()
}

fn leak<T>(value: T) -> *const T {
    Box::leak(Box::new(value))
}

#[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/transform@0.1.0#describe"))]
#[allow(dead_code)]
extern "C" fn describe() -> *const abi::Description {
    leak(abi::Description {
        name: Text::of(DESCRIPTION.name),
        version: Text::of(DESCRIPTION.version),
        summary: Text::of(DESCRIPTION.summary),
        documentation: Text::of(DESCRIPTION.documentation),
        config_schema: Text::of(DESCRIPTION.config_schema),
        stateful: false,
    })
}

#[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/transform@0.1.0#open"))]
#[allow(dead_code)]
unsafe extern "C" fn open(
    config: *const u8,
    config_len: usize,
    inputs: *const abi::Port,
    _inputs_len: usize,
    _restores: u32,
    _restore: *const u8,
    _restore_len: usize,
) -> *const Opened {
    let text = unsafe { List::from_words(config, config_len).into_string() };
    let Ok(config) = parshall_sdk::config::read::<Config>(&text) else {
        return leak(Outcome::Err(config_error("expected a `mode`", "the README lists them")));
    };
    let Some(lie) = every_lie().find(|lie| lie.mode == config.mode) else {
        return leak(Outcome::Err(config_error("there is no such misbehaviour", "the README lists them")));
    };
    CHOSEN.0.set(Some(*lie));
    // The host gives a transform at least one input.
    leak((lie.open)(unsafe { (*inputs).schema }))
}

#[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/transform@0.1.0#process"))]
#[allow(dead_code)]
unsafe extern "C" fn process(_input: u32, rows: u64, frame: u32) -> *const Answered {
    let lie = CHOSEN.0.get().expect("opened before");
    if lie.mode != "keeps-the-frame" {
        unsafe { frames::drop(frame) };
    }
    leak((lie.process)(rows as usize))
}

#[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/transform@0.1.0#finish"))]
#[allow(dead_code)]
extern "C" fn finish() -> *const Outcome<Maybe<abi::Answer>, abi::StageError> {
    leak(Outcome::Ok(Maybe::None))
}

#[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/transform@0.1.0#snapshot"))]
#[allow(dead_code)]
extern "C" fn snapshot() -> *const Outcome<List<u8>, abi::StageError> {
    leak(Outcome::Ok(List::EMPTY))
}
