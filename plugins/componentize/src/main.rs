//! `componentize --wit DIR --world WORLD CORE OUT`: a core module becomes a component of one of the contract's worlds.
//! `componentize --component COMPONENT OUT`: what is a component already loses its custom sections, and no more.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use wit_parser::Resolve;

fn main() -> Result<()> {
    let arguments = Arguments::parse(env::args().skip(1))?;
    let built = fs::read(&arguments.built).with_context(|| format!("cannot read {}", arguments.built.display()))?;
    let component = match &arguments.world {
        Some((wit, world)) => {
            encode(&built, wit, world).with_context(|| format!("{} is no component of the world `{world}`", arguments.built.display()))?
        }
        None => componentize::without_custom(&built)?,
    };

    if let Some(folder) = arguments.out.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&arguments.out, component).with_context(|| format!("cannot write {}", arguments.out.display()))
}

fn encode(core: &[u8], wit: &Path, world: &str) -> Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit).context("the WIT does not parse")?;
    componentize::encode(core, &resolve, package, world)
}

/// The command line.
struct Arguments {
    /// The WIT and the world in it; nothing for what is a component already.
    world: Option<(PathBuf, String)>,
    built: PathBuf,
    out: PathBuf,
}

// === impl Arguments ===

impl Arguments {
    fn parse(words: impl Iterator<Item = String>) -> Result<Self> {
        let words: Vec<String> = words.collect();
        match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["--wit", wit, "--world", world, core, out] => {
                Ok(Self { world: Some((wit.into(), world.to_string())), built: core.into(), out: out.into() })
            }
            ["--component", component, out] => Ok(Self { world: None, built: component.into(), out: out.into() }),
            _ => bail!("usage: componentize (--wit DIR --world WORLD CORE.wasm | --component COMPONENT.wasm) OUT.wasm"),
        }
    }
}
