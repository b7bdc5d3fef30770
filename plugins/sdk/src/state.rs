//! A small store that outlives the instance. A component that uses this imports it, and needs `state = true`.

use crate::{
    abi::{List, Maybe, Outcome, StateError as Raw, imports::state as host},
    error::StageError,
};

/// The value of a key.
pub fn get(key: &str) -> Result<Option<Vec<u8>>, StageError> {
    match ask(|result| unsafe { host::get(key.as_ptr(), key.len(), result) })? {
        Maybe::None => Ok(None),
        Maybe::Some(value) => Ok(Some(unsafe { value.into_vec() })),
    }
}

/// Sets the value of a key.
pub fn set(key: &str, value: &[u8]) -> Result<(), StageError> {
    ask(|result| unsafe { host::set(key.as_ptr(), key.len(), value.as_ptr(), value.len(), result) })
}

/// Removes a key.
pub fn delete(key: &str) -> Result<(), StageError> {
    ask(|result| unsafe { host::delete(key.as_ptr(), key.len(), result) })
}

fn ask<T>(call: impl FnOnce(*mut Outcome<T, Raw>)) -> Result<T, StageError> {
    let mut result = Outcome::Err(Raw::Unavailable(List::EMPTY));
    call(&mut result);
    match result {
        Outcome::Ok(value) => Ok(value),
        Outcome::Err(Raw::TooLarge(text)) => Err(StageError::Data(unsafe { text.into_string() })),
        Outcome::Err(Raw::Unavailable(text)) => Err(StageError::Unavailable(unsafe { text.into_string() })),
    }
}
