//! A core module becomes a component of one of the contract's worlds, and what a component imports and exports as WIT.
//!
//! The guest needs no metadata of its own: the world's type is embedded here, so guests are built without binding
//! generators, and what the module imports and exports is checked against the contract on the way. Every custom section
//! is dropped (names, producers, paths): same sources, same bytes.

mod lent;
mod sections;
pub mod wit;

use anyhow::{Context, Result};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{PackageId, Resolve};

pub use lent::give_back;
pub use sections::without_custom;

/// The imports of WASI preview 1 that some languages' runtimes insist on, answered without a host: no arguments, no files,
/// a clock that counts, random numbers that are always the same, output that is swallowed.
/// Assembled from `null_wasi.wat`; a test holds the two together.
const NULL_WASI: &[u8] = include_bytes!("null_wasi.wasm");
const PREVIEW_1: &str = "wasi_snapshot_preview1";

/// The component that a core module is in a world of a package.
pub fn encode(core: &[u8], resolve: &Resolve, package: PackageId, world: &str) -> Result<Vec<u8>> {
    let world = resolve.select_world(&[package], Some(world))?;
    let mut module = without_custom(core)?;
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8)?;
    let mut encoder = ComponentEncoder::default().validate(true).module(&module)?;
    if imports_preview_1(core)? {
        encoder = encoder.adapter(PREVIEW_1, NULL_WASI)?;
    }
    without_custom(&encoder.encode()?)
}

/// Whether a core module wants WASI preview 1.
fn imports_preview_1(core: &[u8]) -> Result<bool> {
    for payload in wasmparser::Parser::new(0).parse_all(core) {
        if let wasmparser::Payload::ImportSection(section) = payload.context("the core module does not parse")? {
            for import in section.into_imports() {
                if import?.module == PREVIEW_1 {
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against an adapter whose text and binary part ways. `ASSEMBLE=1 cargo test -p componentize` writes the binary.
    #[test]
    fn the_adapter_is_what_its_text_says() {
        let assembled = wat::parse_str(include_str!("null_wasi.wat")).unwrap();
        if std::env::var_os("ASSEMBLE").is_some() {
            std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/null_wasi.wasm"), &assembled).unwrap();
        }
        assert!(assembled == NULL_WASI, "null_wasi.wasm is not null_wasi.wat: run ASSEMBLE=1 cargo test --release -p componentize");
    }

    /// Protects against an adapter that lets a guest call a host that is not there.
    #[test]
    fn the_adapter_imports_memory_only() {
        for payload in wasmparser::Parser::new(0).parse_all(NULL_WASI) {
            if let wasmparser::Payload::ImportSection(section) = payload.unwrap() {
                let imports: Vec<_> = section.into_imports().map(|import| import.unwrap().name.to_owned()).collect();
                assert_eq!(imports, ["memory"]);
            }
        }
    }
}
