//! What others do with the same work: functions in `arrow-udf-runtime` and `extism`, and natively; spans by the SDK, `tracing` and `fastrace`.
//! (Whole pipelines beside DataFusion and polars: `pipelines/run.py`.) `benches/peers/run` builds everything and runs it.
//!
//! Cost model of one call, by which to read the numbers:
//!
//! ```text
//! native    = kernel
//! parshall  = enter + columns read × bytes / memcpy + guest kernel + made × bytes / memcpy + recipe + account + span
//! arrow-udf = encode (Arrow IPC) + copy in + decode + guest kernel + encode + decode
//! extism    = enter + copy in + 8 bytes a call of its kernel, in and out + guest kernel + copy out
//! ```
//!
//! Everybody takes turns, and ours is there twice: what the two differ by is the noise floor.

mod arm;
mod arms;
mod functions;
mod rows;
mod spans;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("functions") => functions::run(),
        Some("spans") => spans::run(),
        _ => anyhow::bail!("usage: peers (functions | spans)"),
    }
}
