//! `wasi:random`: random numbers, where they are granted.

use wasmtime::component::Linker;
use wasmtime_wasi::{
    Deterministic, WasiCtxBuilder,
    p2::bindings::random,
    random::{WasiRandom, WasiRandomView as _},
};

use crate::{wasm::host::Host, words::grants::Grants};

/// Bytes that one call of an import may ask for; more is a trap. Keys and seeds need 64: this is room enough, and no way
/// to fill the host's memory.
const LARGEST: u64 = 64 << 10;

/// Links the three interfaces.
pub fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    random::random::add_to_linker::<Host, WasiRandom>(linker, Host::random)?;
    random::insecure::add_to_linker::<Host, WasiRandom>(linker, Host::random)?;
    random::insecure_seed::add_to_linker::<Host, WasiRandom>(linker, Host::random)
}

/// Without the grant there are zeros: a component that describes itself is linked with everything and granted nothing.
pub fn configure(builder: &mut WasiCtxBuilder, grants: &Grants) {
    builder.max_random_size(LARGEST);
    if !grants.random {
        let zeros = || Deterministic::new(vec![0]);
        builder.secure_random(zeros()).insecure_random(zeros()).insecure_random_seed(0);
    }
}
