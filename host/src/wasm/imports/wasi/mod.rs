//! WASI 0.2 for components that import it: what every language's runtime needs is linked always and leads nowhere; clocks,
//! random numbers and HTTP are linked where they are granted. Sockets and folders are not offered.
//!
//! wasmtime-wasi does the work. What is our own here is what bounds it: nothing waits beyond the call's deadline
//! ([`io`]), output becomes log records ([`stdio`]), and requests go to granted servers only ([`http`]).

mod clocks;
mod environment;
mod http;
mod io;
mod random;
mod stdio;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use wasmtime::component::Linker;
use wasmtime_wasi::{
    WasiCtx, WasiCtxView, WasiView,
    cli::{WasiCli, WasiCliView as _},
    filesystem::{WasiFilesystem, WasiFilesystemView as _},
    p2::bindings,
};

use self::{http::Http, stdio::Stdio};
use crate::{
    wasm::host::{Host, Meter},
    words::{grants::Grants, limits::Limits, outgoing::Outgoing},
};

/// What an instance has of WASI. Only a component that imports some of it pays for it.
pub struct Wasi {
    ctx: WasiCtx,
    http: Http,
    stdio: Stdio,
    /// When the current call must have ended.
    deadline: Instant,
}

/// Whether a component imports any of WASI.
pub fn is_wanted(imports: &[String]) -> bool {
    imports.iter().any(|import| import.starts_with("wasi:"))
}

/// Links what these grants give. `Host::wasi` must be there in every store that the linker is used with.
pub fn link(linker: &mut Linker<Host>, grants: &Grants) -> wasmtime::Result<()> {
    io::link(linker)?;
    stdio::link(linker)?;
    bindings::cli::environment::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    bindings::cli::exit::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    // There are no preopened folders, so no file can be reached; what a guest gets is an error in its own terms.
    bindings::filesystem::preopens::add_to_linker::<Host, WasiFilesystem>(linker, Host::filesystem)?;
    bindings::sync::filesystem::types::add_to_linker::<Host, WasiFilesystem>(linker, Host::filesystem)?;
    if grants.clocks {
        clocks::link(linker)?;
    }
    if grants.random {
        random::link(linker)?;
    }
    if !grants.http.is_empty() {
        http::link(linker)?;
    }
    Ok(())
}

/// When a call that begins now must have ended. A timeout beyond what the clock can count is a year: nobody waits longer.
fn deadline(limits: &Limits) -> Instant {
    let now = Instant::now();
    now.checked_add(limits.timeout).unwrap_or_else(|| now + Duration::from_secs(365 * 24 * 3600))
}

// === impl Wasi ===

impl Wasi {
    /// For a new instance.
    pub fn new(stage: &str, limits: &Limits, grants: &Grants, outgoing: Option<Arc<dyn Outgoing>>) -> Self {
        let mut builder = WasiCtx::builder();
        environment::configure(&mut builder, grants);
        clocks::configure(&mut builder, grants);
        random::configure(&mut builder, grants);
        Wasi { ctx: builder.build(), http: Http::new(stage, limits, grants, outgoing), stdio: Stdio::default(), deadline: deadline(limits) }
    }

    /// A call begins: its time and its allowance of bytes start anew.
    pub fn begin(&mut self, limits: &Limits) {
        self.deadline = deadline(limits);
        self.http.begin(self.deadline);
    }

    /// A call ends, well or not: a line that it left unfinished is logged as it is.
    pub fn end(&mut self, stage: &str, limits: &Limits, meter: &mut Meter) {
        self.stdio.finish(stage, limits, meter);
        self.http.end(limits, meter);
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self.wasi.as_mut().expect("WASI is linked only for an instance that has it");
        WasiCtxView { ctx: &mut wasi.ctx, table: &mut self.handles }
    }
}
