//! `parshall:stage/extract`.

use super::{Desk, arguments, not_open};
use crate::{
    abi::{self, List, Maybe, Outcome, Text},
    stage::{Extract, Values},
};

/// `describe`.
pub fn describe<T: Extract>(desk: &Desk<T>) -> *const abi::Description {
    unsafe { desk.things() }.describe(&T::DESCRIPTION)
}

/// `open`.
///
/// # Safety
/// Called by the host.
pub unsafe fn open<T: Extract>(
    desk: &Desk<T>,
    config: Text,
    position: Maybe<List<u8>>,
) -> *const Outcome<List<abi::Port>, abi::StageError> {
    let things = unsafe { desk.things() };
    let (config, position) = unsafe { arguments(config, position) };
    let ports = config.and_then(|config| {
        let (stage, ports) = T::open(config, position)?;
        things.stage = Some(stage);
        Ok(ports)
    });
    things.opened(ports)
}

/// `next`.
pub fn next<T: Extract>(desk: &Desk<T>) -> *const Outcome<Maybe<abi::Extracted>, abi::StageError> {
    let things = unsafe { desk.things() };
    let result = match things.stage.as_mut().map_or_else(|| Err(not_open()), T::next) {
        Ok(None) => Outcome::Ok(Maybe::None),
        Ok(Some(batch)) => {
            things.bytes = batch.position;
            let values = match batch.values {
                Values::Frame(frame) => abi::Values::Frame(frame.into_handle()),
                Values::Made(rows, columns) => {
                    abi::Values::Made(abi::Fresh { rows: rows as u64, columns: things.reply.lay_out_columns(&columns) })
                }
            };
            let position = List::pointing_at(&things.bytes);
            Outcome::Ok(Maybe::Some(abi::Extracted { port: batch.port as u32, values, position }))
        }
        Err(error) => Outcome::Err(things.fail(error)),
    };
    things.extracted.insert(result)
}

/// Makes an [`Extract`] the extract that this component is.
#[macro_export]
macro_rules! export_extract {
    ($stage:ty) => {
        const _: () = {
            use $crate::{
                abi,
                exports::{Desk, extract},
            };

            static DESK: Desk<$stage> = Desk::new();

            #[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/extract@0.1.0#describe"))]
            #[allow(dead_code)]
            extern "C" fn describe() -> *const abi::Description {
                extract::describe(&DESK)
            }

            #[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/extract@0.1.0#open"))]
            #[allow(dead_code)]
            unsafe extern "C" fn open(
                config: *const u8,
                config_len: usize,
                resumes: u32,
                position: *const u8,
                position_len: usize,
            ) -> *const abi::Outcome<abi::List<abi::Port>, abi::StageError> {
                let position =
                    if resumes == 0 { abi::Maybe::None } else { abi::Maybe::Some(abi::List::from_words(position, position_len)) };
                unsafe { extract::open(&DESK, abi::List::from_words(config, config_len), position) }
            }

            #[cfg_attr(target_arch = "wasm32", unsafe(export_name = "parshall:stage/extract@0.1.0#next"))]
            #[allow(dead_code)]
            extern "C" fn next() -> *const abi::Outcome<abi::Maybe<abi::Extracted>, abi::StageError> {
                extract::next(&DESK)
            }
        };
    };
}
