//! `componentize --wit DIR --world WORLD CORE OUT`: a core module becomes a component of one of the contract's worlds.
//!
//! The guest needs no metadata of its own: the world's type is embedded here, so guests are built without binding
//! generators, and what the module imports and exports is checked against the contract on the way. Every custom section
//! is dropped (names, producers, paths): same sources, same bytes.

mod sections;

use std::{env, fs, path::PathBuf};

use anyhow::{Context, Result, bail};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

fn main() -> Result<()> {
    let arguments = Arguments::parse(env::args().skip(1))?;
    let core = fs::read(&arguments.core).with_context(|| format!("cannot read {}", arguments.core.display()))?;

    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(&arguments.wit).context("the WIT does not parse")?;
    let world = resolve.select_world(&[package], Some(&arguments.world))?;

    let mut module = sections::without_custom(&core)?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    let component = ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(|mut encoder| encoder.encode())
        .with_context(|| format!("{} is no component of the world `{}`", arguments.core.display(), arguments.world))?;
    let component = sections::without_custom(&component)?;

    if let Some(folder) = arguments.out.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&arguments.out, component).with_context(|| format!("cannot write {}", arguments.out.display()))
}

/// The command line.
struct Arguments {
    wit: PathBuf,
    world: String,
    core: PathBuf,
    out: PathBuf,
}

// === impl Arguments ===

impl Arguments {
    fn parse(words: impl Iterator<Item = String>) -> Result<Self> {
        let words: Vec<String> = words.collect();
        match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["--wit", wit, "--world", world, core, out] => {
                Ok(Self { wit: wit.into(), world: world.to_string(), core: core.into(), out: out.into() })
            }
            _ => bail!("usage: componentize --wit DIR --world WORLD CORE.wasm OUT.wasm"),
        }
    }
}
