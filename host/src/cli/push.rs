//! `parshall push`: a component, or a package of WIT, into a registry.

use std::{fs, path::PathBuf};

use clap::ValueHint;

use super::{Exit, amount, exit, session};
use crate::{
    pipeline::plan::{ComponentError, ComponentRef, Origin},
    project::Package,
    registry::{self, SigningKey},
    wasm,
    words::{
        limits::Loading,
        oci::{OciName, OciVersion},
        stage::Component as _,
    },
};

/// Arguments of `parshall push`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The component: a path, or `std:NAME`. Or a package of WIT, as a `.wit` file or in its binary form.
    #[arg(value_name = "COMPONENT", value_hint = ValueHint::FilePath)]
    component: String,
    /// Where it goes: oci://REGISTRY/NAME:TAG.
    #[arg(value_name = "NAME")]
    name: String,
    /// Also sign it with this private key: PKCS #8 in PEM form, ECDSA on P-256 or Ed25519.
    #[arg(long, value_name = "KEY", value_hint = ValueHint::FilePath)]
    sign: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// What is pushed, and what is said of it.
struct Content {
    bytes: Vec<u8>,
    imports: Vec<String>,
    exports: Vec<String>,
}

/// Puts it there. Only what could be a stage is pushed, or be what one is built against.
pub fn push(arguments: &Arguments) -> Result<(), Exit> {
    let name = target(&arguments.name)?;
    let key = arguments.sign.as_deref().map(SigningKey::read).transpose().map_err(|error| Exit::Wrong(error.to_string()))?;
    let Content { bytes, imports, exports } =
        if arguments.component.ends_with(".wit") { wit(&arguments.component)? } else { read(arguments)? };
    let pushed = registry::push(&name, bytes, (&imports, &exports), key.as_ref());
    let pushed = pushed.map_err(|error| Exit::Broken(error.into()))?;
    if arguments.json {
        return exit::print(&(serde_json::to_string_pretty(&pushed).map_err(anyhow::Error::from)? + "\n"));
    }
    let signed = if pushed.signed { ", signed" } else { "" };
    exit::print(&format!("{name}: {}{signed}\n{}\n", amount::bytes(pushed.bytes), pushed.name))
}

/// A component, or the binary form of a package.
fn read(arguments: &Arguments) -> Result<Content, Exit> {
    let (catalog, reference, origin) = (session::catalog()?, session::reference(&arguments.component)?, Origin::folder("."));
    let (wrong, limits) = (|error: ComponentError| Exit::Wrong(error.message), Loading::default());
    let bytes = catalog.bytes(&reference, &origin, limits).map_err(wrong)?.into_owned();
    if let Some(package) = Package::of_bytes(&bytes) {
        return Ok(package.into());
    }
    let component = catalog.compile(&reference, &bytes, limits).map_err(wrong)?;
    let exports = vec![wasm::interface(&component.kind().to_string())];
    Ok(Content { bytes, imports: component.imports(), exports })
}

fn wit(path: &str) -> Result<Content, Exit> {
    let text = fs::read_to_string(path).map_err(|error| Exit::Wrong(format!("`{path}` cannot be read: {error}")))?;
    let package = Package::of_text(path, &text).map_err(|error| Exit::Wrong(format!("`{path}` is no package of WIT: {error}")))?;
    Ok(package.into())
}

impl From<Package> for Content {
    fn from(package: Package) -> Self {
        Content { bytes: package.bytes, imports: Vec::new(), exports: package.names }
    }
}

fn target(text: &str) -> Result<OciName, Exit> {
    match session::reference(text)? {
        ComponentRef::Oci(name) if matches!(name.version, OciVersion::Tag(_)) => Ok(name),
        _ => Err(Exit::Wrong(format!("`{text}` is no place in a registry\n  = help: expected `oci://REGISTRY/NAME:TAG`"))),
    }
}
