//! `parshall:stage/transform`.

use super::{Desk, arguments, inputs, not_open};
use crate::{
    abi::{self, List, Maybe, Outcome, Text},
    frame::Frame,
    stage::Transform,
};

/// `describe`.
pub fn describe<T: Transform>(desk: &Desk<T>) -> *const abi::Description {
    unsafe { desk.things() }.describe(&T::DESCRIPTION)
}

/// `open`.
///
/// # Safety
/// Called by the host.
pub unsafe fn open<T: Transform>(
    desk: &Desk<T>,
    config: Text,
    arriving: List<abi::Port>,
    restore: Maybe<List<u8>>,
) -> *const Outcome<List<abi::Port>, abi::StageError> {
    let things = unsafe { desk.things() };
    let (config, restore) = unsafe { arguments(config, restore) };
    let arriving = unsafe { inputs(things, arriving) };
    let ports = config.and_then(|config| {
        let (stage, ports) = T::open(config, &arriving?, restore)?;
        things.stage = Some(stage);
        Ok(ports)
    });
    things.opened(ports)
}

/// `process`.
///
/// # Safety
/// Called by the host.
pub unsafe fn process<T: Transform>(desk: &Desk<T>, input: u32, rows: u64, frame: u32) -> *const Outcome<abi::Answer, abi::StageError> {
    let things = unsafe { desk.things() };
    things.reply.clear();
    let answer = match (&mut things.stage, things.schemas.get(input as usize)) {
        (Some(stage), Some(schema)) => stage.process(&Frame::new(frame, input as usize, rows as usize, schema, &mut things.cache)),
        _ => Err(not_open()),
    };
    let result = match answer {
        Ok(answer) => Outcome::Ok(things.reply.lay_out(answer)),
        Err(error) => Outcome::Err(things.fail(error)),
    };
    things.answered.insert(result)
}

/// `finish`.
pub fn finish<T: Transform>(desk: &Desk<T>) -> *const Outcome<Maybe<abi::Answer>, abi::StageError> {
    let things = unsafe { desk.things() };
    let result = match things.stage.as_mut().map_or_else(|| Err(not_open()), T::finish) {
        Ok(None) => Outcome::Ok(Maybe::None),
        Ok(Some(answer)) => Outcome::Ok(Maybe::Some(things.reply.lay_out(answer))),
        Err(error) => Outcome::Err(things.fail(error)),
    };
    things.finished.insert(result)
}

/// `snapshot`.
pub fn snapshot<T: Transform>(desk: &Desk<T>) -> *const Outcome<List<u8>, abi::StageError> {
    let things = unsafe { desk.things() };
    let bytes = things.stage.as_mut().map_or_else(|| Err(not_open()), T::snapshot);
    things.remembered(bytes)
}

/// Makes a [`Transform`] the transform that this component is.
#[macro_export]
macro_rules! export_transform {
    ($stage:ty) => {
        const _: () = {
            use $crate::{
                abi,
                exports::{Desk, transform},
            };

            static DESK: Desk<$stage> = Desk::new();

            #[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/transform@0.1.0#describe"))]
            #[allow(dead_code)]
            extern "C" fn describe() -> *const abi::Description {
                transform::describe(&DESK)
            }

            #[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/transform@0.1.0#open"))]
            #[allow(dead_code)]
            unsafe extern "C" fn open(
                config: *const u8,
                config_len: usize,
                inputs: *const abi::Port,
                inputs_len: usize,
                restores: u32,
                restore: *const u8,
                restore_len: usize,
            ) -> *const abi::Outcome<abi::List<abi::Port>, abi::StageError> {
                let restore = if restores == 0 { abi::Maybe::None } else { abi::Maybe::Some(abi::List::from_words(restore, restore_len)) };
                unsafe {
                    transform::open(&DESK, abi::List::from_words(config, config_len), abi::List::from_words(inputs, inputs_len), restore)
                }
            }

            #[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/transform@0.1.0#process"))]
            #[allow(dead_code)]
            unsafe extern "C" fn process(input: u32, rows: u64, frame: u32) -> *const abi::Outcome<abi::Answer, abi::StageError> {
                unsafe { transform::process(&DESK, input, rows, frame) }
            }

            #[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/transform@0.1.0#finish"))]
            #[allow(dead_code)]
            extern "C" fn finish() -> *const abi::Outcome<abi::Maybe<abi::Answer>, abi::StageError> {
                transform::finish(&DESK)
            }

            #[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/transform@0.1.0#snapshot"))]
            #[allow(dead_code)]
            extern "C" fn snapshot() -> *const abi::Outcome<abi::List<u8>, abi::StageError> {
                transform::snapshot(&DESK)
            }
        };
    };
}
