//! `parshall:stage/load`.

use super::{Desk, arguments, inputs, not_open};
use crate::{
    abi::{self, List, Maybe, Outcome, Text},
    frame::Frame,
    stage::Load,
};

/// `describe`.
pub fn describe<T: Load>(desk: &Desk<T>) -> *const abi::Description {
    unsafe { desk.things() }.describe(&T::DESCRIPTION)
}

/// `open`.
///
/// # Safety
/// Called by the host.
pub unsafe fn open<T: Load>(
    desk: &Desk<T>,
    config: Text,
    arriving: List<abi::Port>,
    restore: Maybe<List<u8>>,
) -> *const Outcome<(), abi::StageError> {
    let things = unsafe { desk.things() };
    let (config, restore) = unsafe { arguments(config, restore) };
    let arriving = unsafe { inputs(things, arriving) };
    let opened = config.and_then(|config| T::open(config, &arriving?, restore));
    let result = match opened {
        Ok(stage) => {
            things.stage = Some(stage);
            Outcome::Ok(())
        }
        Err(error) => Outcome::Err(things.fail(error)),
    };
    things.done.insert(result)
}

/// `write`.
///
/// # Safety
/// Called by the host.
pub unsafe fn write<T: Load>(desk: &Desk<T>, input: u32, rows: u64, frame: u32) -> *const Outcome<List<abi::Rejection>, abi::StageError> {
    let things = unsafe { desk.things() };
    let refused = match (&mut things.stage, things.schemas.get(input as usize)) {
        (Some(stage), Some(schema)) => stage.write(&Frame::new(frame, input as usize, rows as usize, schema, &mut things.cache)),
        _ => Err(not_open()),
    };
    let result = match refused {
        Ok(rejections) => Outcome::Ok(things.reply.lay_out_rejections(rejections)),
        Err(error) => Outcome::Err(things.fail(error)),
    };
    things.refused.insert(result)
}

/// `commit`.
pub fn commit<T: Load>(desk: &Desk<T>, last: bool) -> *const Outcome<abi::Receipt, abi::StageError> {
    let things = unsafe { desk.things() };
    let result = match things.stage.as_mut().map_or_else(|| Err(not_open()), |stage| stage.commit(last)) {
        Ok(receipt) => {
            things.text = receipt.location;
            Outcome::Ok(abi::Receipt { rows: receipt.rows, location: Text::of(&things.text) })
        }
        Err(error) => Outcome::Err(things.fail(error)),
    };
    things.receipt.insert(result)
}

/// `snapshot`.
pub fn snapshot<T: Load>(desk: &Desk<T>) -> *const Outcome<List<u8>, abi::StageError> {
    let things = unsafe { desk.things() };
    let bytes = things.stage.as_mut().map_or_else(|| Err(not_open()), T::snapshot);
    things.remembered(bytes)
}

/// Makes a [`Load`] the load that this component is.
#[macro_export]
macro_rules! export_load {
    ($stage:ty) => {
        const _: () = {
            use $crate::{
                abi,
                exports::{Desk, load},
            };

            static DESK: Desk<$stage> = Desk::new();

            #[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/load@0.1.0#describe"))]
            #[allow(dead_code)]
            extern "C" fn describe() -> *const abi::Description {
                load::describe(&DESK)
            }

            #[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/load@0.1.0#open"))]
            #[allow(dead_code)]
            unsafe extern "C" fn open(
                config: *const u8,
                config_len: usize,
                inputs: *const abi::Port,
                inputs_len: usize,
                restores: u32,
                restore: *const u8,
                restore_len: usize,
            ) -> *const abi::Outcome<(), abi::StageError> {
                let restore = if restores == 0 { abi::Maybe::None } else { abi::Maybe::Some(abi::List::from_words(restore, restore_len)) };
                unsafe { load::open(&DESK, abi::List::from_words(config, config_len), abi::List::from_words(inputs, inputs_len), restore) }
            }

            #[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/load@0.1.0#write"))]
            #[allow(dead_code)]
            unsafe extern "C" fn write(
                input: u32,
                rows: u64,
                frame: u32,
            ) -> *const abi::Outcome<abi::List<abi::Rejection>, abi::StageError> {
                unsafe { load::write(&DESK, input, rows, frame) }
            }

            #[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/load@0.1.0#commit"))]
            #[allow(dead_code)]
            extern "C" fn commit(last: u32) -> *const abi::Outcome<abi::Receipt, abi::StageError> {
                load::commit(&DESK, last != 0)
            }

            #[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/load@0.1.0#snapshot"))]
            #[allow(dead_code)]
            extern "C" fn snapshot() -> *const abi::Outcome<abi::List<u8>, abi::StageError> {
                load::snapshot(&DESK)
            }
        };
    };
}
