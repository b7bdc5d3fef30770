//! Who does it.

mod arrays;
mod arrow_udf;
mod extism;
mod native;
mod parshall;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

pub use self::{
    arrow_udf::ArrowUdf,
    extism::Extism,
    native::Native,
    parshall::{Parshall, facts, opening},
};

/// A guest, as `benches/peers/run` has built it.
fn guest(target: &str, name: &str) -> Result<Vec<u8>> {
    read(&root().join(format!("target/peers/{target}/release/functions_{name}.wasm")))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("{}: benches/peers/run builds it", path.display()))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
