//! `state`: a small store of keys and values, for the length of the run.

use wasmtime::{StoreContextMut, component::Linker};

use crate::wasm::{contract::StateError, host::Host};

/// Links the interface.
pub fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    let mut state = linker.instance(&super::interface("state"))?;
    state.func_wrap(
        "get",
        |mut store: StoreContextMut<'_, Host>, (key,): (String,)| -> wasmtime::Result<(Result<Option<Vec<u8>>, StateError>,)> {
            Ok((Ok(store.data_mut().work(|host| host.state.get(&key).cloned())),))
        },
    )?;
    state.func_wrap("set", |mut store: StoreContextMut<'_, Host>, (key, value): (String, Vec<u8>)| {
        Ok((store.data_mut().work(|host| set(host, key, value)),))
    })?;
    state.func_wrap(
        "delete",
        |mut store: StoreContextMut<'_, Host>, (key,): (String,)| -> wasmtime::Result<(Result<(), StateError>,)> {
            store.data_mut().work(|host| host.state.remove(&key));
            Ok((Ok(()),))
        },
    )?;
    Ok(())
}

/// Bytes that a key weighs beside its text, about what it takes to keep one: a million empty ones are not for nothing.
const KEY: usize = 64;

fn set(host: &mut Host, key: String, value: Vec<u8>) -> Result<(), StateError> {
    // Looking at all of them takes time that fuel does not count, so that there are few of them matters: hence what a key weighs.
    let held: usize = host.state.iter().filter(|(known, _)| **known != key).map(|(key, value)| KEY + key.len() + value.len()).sum();
    let wanted = held + KEY + key.len() + value.len();
    if wanted as u64 > host.limits.state {
        return Err(StateError::TooLarge(format!("limit `state`: {wanted} bytes wanted, {} allowed", host.limits.state)));
    }
    host.state.insert(key, value);
    Ok(())
}
