//! `wasi:clocks`: the time, and waiting for it, where they are granted. How long a guest may wait is `io`'s to say.

use std::time::Duration;

use wasmtime::component::Linker;
use wasmtime_wasi::{
    HostMonotonicClock, HostWallClock, WasiCtxBuilder,
    clocks::{WasiClocks, WasiClocksView as _},
    p2::bindings::clocks,
};

use crate::{wasm::host::Host, words::grants::Grants};

/// Links both clocks.
pub fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    clocks::wall_clock::add_to_linker::<Host, WasiClocks>(linker, Host::clocks)?;
    clocks::monotonic_clock::add_to_linker::<Host, WasiClocks>(linker, Host::clocks)
}

/// Without the grant time stands still: a component that describes itself is linked with everything and granted nothing.
pub fn configure(builder: &mut WasiCtxBuilder, grants: &Grants) {
    if !grants.clocks {
        builder.wall_clock(Stopped).monotonic_clock(Stopped);
    }
}

/// A clock that shows its beginning.
struct Stopped;

impl HostWallClock for Stopped {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

impl HostMonotonicClock for Stopped {
    fn resolution(&self) -> u64 {
        1_000_000_000
    }

    fn now(&self) -> u64 {
        0
    }
}
