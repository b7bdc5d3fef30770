//! What the host calls. [`transform!`](crate::transform) puts these functions' names where the host looks for them.

use std::{
    alloc::{Layout, alloc, dealloc},
    any::Any,
    cell::RefCell,
    collections::VecDeque,
};

use crate::{
    Description, Transform,
    abi::{self, List, Maybe, Outcome, Text},
    answer::{Answer, Rows},
    config::{self, StageError},
    frame::Frame,
    last_words,
    schema::{Input, Port, Schema, text},
};

thread_local! {
    /// What the host wrote during this call, and what the result points at.
    static ARRIVED: RefCell<Vec<(*mut u8, Layout)>> = const { RefCell::new(Vec::new()) };
    static HELD: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
    static SCHEMAS: RefCell<Vec<Schema>> = const { RefCell::new(Vec::new()) };
}

/// Any value is aligned to this.
const ALIGN: usize = 16;

#[cfg_attr(target_arch = "wasm32", unsafe(export_name = "cabi_realloc"))]
unsafe extern "C" fn reallocate(old: *mut u8, old_size: usize, _align: usize, size: usize) -> *mut u8 {
    let layout = Layout::from_size_align(size.max(1), ALIGN).expect("the host asks for what fits");
    let at = unsafe { alloc(layout) };
    if at.is_null() {
        std::process::abort();
    }
    ARRIVED.with_borrow_mut(|arrived| arrived.push((at, layout)));
    if old_size > 0 {
        unsafe { std::ptr::copy_nonoverlapping(old, at, old_size.min(size)) };
    }
    at
}

/// After a call: lets go of what came and of what was answered.
pub fn over() {
    ARRIVED.with_borrow_mut(|arrived| arrived.drain(..).for_each(|(at, layout)| unsafe { dealloc(at, layout) }));
    HELD.with_borrow_mut(Vec::clear);
}

/// Keeps something until the call is over.
fn hold<T: 'static>(value: T) -> &'static T {
    HELD.with_borrow_mut(|held| {
        held.push(Box::new(value));
        let at: *const T = held.last().and_then(|held| held.downcast_ref()).expect("what was just put there");
        // The box does not move, and lives until the host has read the result.
        unsafe { &*at }
    })
}

fn list<T: 'static>(items: Vec<T>) -> List<T> {
    List::of(hold(items))
}

fn result<T: 'static>(outcome: Result<T, StageError>) -> *const Outcome<T, abi::StageError> {
    hold(match outcome {
        Ok(value) => Outcome::Ok(value),
        Err(error) => Outcome::Err(hold(error).lower()),
    })
}

/// `describe`.
pub fn describe(said: &'static Description) -> *const u8 {
    last_words::listen();
    let description = abi::Description {
        name: text(said.name),
        version: text(said.version),
        summary: text(said.summary),
        documentation: text(""),
        config_schema: text(said.config_schema),
        stateful: said.stateful,
    };
    std::ptr::from_ref(hold(description)).cast()
}

/// `open`.
///
/// # Safety
/// Called by the host.
pub unsafe fn open<T: Transform>(stage: &mut Option<T>, config: Words, inputs: Words, restore: Option<Words>) -> *const u8 {
    last_words::listen();
    let lift = |port: &abi::Port| unsafe { Input { name: port.name.string(), schema: Schema::lift(port.schema) } };
    let inputs: Vec<Input> = unsafe { List::<abi::Port>::raw(inputs.0.cast(), inputs.1).slice() }.iter().map(lift).collect();
    SCHEMAS.set(inputs.iter().map(|input| input.schema.clone()).collect());
    let (config, restore) = unsafe { (config.bytes(), restore.map(|words| words.bytes())) };
    let ports = config::read(std::str::from_utf8(config).unwrap_or_default()).and_then(|config| {
        let (opened, ports) = T::open(config, &inputs, restore)?;
        *stage = Some(opened);
        Ok(ports)
    });
    let lower = |port: &'static Port| {
        let (fields, metadata) = port.schema.lower(&mut list);
        abi::Port { name: text(&port.name), schema: abi::Schema { fields: list(fields), metadata } }
    };
    result(ports.map(|ports| list(hold(ports).iter().map(lower).collect()))).cast()
}

/// `process`.
///
/// # Safety
/// Called by the host.
pub unsafe fn process<T: Transform>(stage: &mut Option<T>, input: u32, rows: u64, handle: u32) -> *const u8 {
    let schemas = SCHEMAS.take();
    let input = input as usize;
    let frame = Frame { handle, rows: rows as usize, input, schema: &schemas[input], arrived: RefCell::new(VecDeque::new()) };
    let answer = stage.as_mut().map_or_else(|| Err(not_open()), |stage| stage.process(&frame));
    // A lent handle must be given back before the call returns.
    unsafe { abi::drop(handle) };
    SCHEMAS.set(schemas);
    result(answer.map(lower)).cast()
}

/// `finish`.
pub fn finish<T: Transform>(stage: &mut Option<T>) -> *const u8 {
    let answer = stage.as_mut().map_or_else(|| Err(not_open()), Transform::finish);
    result(answer.map(|answer| answer.map_or(Maybe::None, |answer| Maybe::Some(lower(answer))))).cast()
}

/// `snapshot`.
pub fn snapshot<T: Transform>(stage: &mut Option<T>) -> *const u8 {
    result(stage.as_mut().map_or_else(|| Err(not_open()), Transform::snapshot).map(list)).cast()
}

fn not_open() -> StageError {
    StageError::Internal("the stage is not open".into())
}

fn lower(answer: Answer) -> abi::Answer {
    let answer = hold(answer);
    let output = |output: &'static crate::Output| {
        let buffers = output.made.iter().flat_map(|made| &made.buffers).map(|buffer| List::of(buffer)).collect();
        abi::Output {
            port: output.port,
            rows: match &output.rows {
                Rows::All => abi::Rows::All,
                Rows::Keep(bits) => abi::Rows::Bitmap(List::of(bits)),
                Rows::Fresh(rows) => abi::Rows::Fresh(*rows),
            },
            columns: output.sources.as_ref().map_or(abi::Columns::Untouched, |sources| abi::Columns::Each(List::of(sources))),
            made: abi::Arrays { nodes: list(output.made.iter().map(|made| made.node).collect()), buffers: list(buffers) },
        }
    };
    let rejection = |(row, reason): &'static (u32, String)| abi::Rejection { row: *row, reason: text(reason) };
    abi::Answer {
        outputs: list(answer.outputs.iter().map(output).collect()),
        rejections: list(answer.rejections.iter().map(rejection).collect()),
    }
}

/// A list's two words, as they come flattened.
#[derive(Clone, Copy)]
pub struct Words(pub *const u8, pub usize);

impl Words {
    unsafe fn bytes<'a>(self) -> &'a [u8] {
        unsafe { Text::raw(self.0, self.1).slice() }
    }
}

/// Makes a [`Transform`] the transform that this component is.
#[macro_export]
macro_rules! transform {
    ($stage:ty) => {
        const _: () = {
            use $crate::exports::{self, Words};

            static mut STAGE: Option<$stage> = None;

            // A guest has one thread, and the host enters one call at a time.
            #[allow(static_mut_refs)]
            fn stage() -> &'static mut Option<$stage> {
                unsafe { &mut STAGE }
            }

            #[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/transform@0.1.0#describe"))]
            #[allow(dead_code)]
            extern "C" fn describe() -> *const u8 {
                static SAID: $crate::Description = <$stage as $crate::Transform>::DESCRIPTION;
                exports::describe(&SAID)
            }

            #[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/transform@0.1.0#open"))]
            #[allow(dead_code, clippy::too_many_arguments)]
            unsafe extern "C" fn open(
                config: *const u8,
                config_len: usize,
                inputs: *const u8,
                inputs_len: usize,
                restores: u32,
                restore: *const u8,
                restore_len: usize,
            ) -> *const u8 {
                let restore = (restores != 0).then_some(Words(restore, restore_len));
                unsafe { exports::open(stage(), Words(config, config_len), Words(inputs, inputs_len), restore) }
            }

            #[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/transform@0.1.0#process"))]
            #[allow(dead_code)]
            unsafe extern "C" fn process(input: u32, rows: u64, frame: u32) -> *const u8 {
                unsafe { exports::process(stage(), input, rows, frame) }
            }

            #[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/transform@0.1.0#finish"))]
            #[allow(dead_code)]
            extern "C" fn finish() -> *const u8 {
                exports::finish(stage())
            }

            #[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/transform@0.1.0#snapshot"))]
            #[allow(dead_code)]
            extern "C" fn snapshot() -> *const u8 {
                exports::snapshot(stage())
            }

            $crate::transform!(@after "describe" after_describe, "open" after_open, "process" after_process, "finish" after_finish, "snapshot" after_snapshot);
        };
    };
    (@after $($name:literal $function:ident),*) => {
        $(#[cfg_attr(target_arch = "wasm32", unsafe(export_name = concat!("cabi_post_parshall:stage/transform@0.1.0#", $name)))]
        #[allow(dead_code)]
        extern "C" fn $function(_: *const u8) {
            exports::over()
        })*
    };
}
