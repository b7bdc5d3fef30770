//! `parshall push`: a component into a registry.

use std::path::PathBuf;

use clap::ValueHint;

use super::{Exit, amount, exit, session};
use crate::{
    pipeline::plan::{ComponentError, ComponentRef, Origin},
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
    /// The component: a path, or `std:NAME`.
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

/// Puts it there. Only what could be a stage is pushed.
pub fn push(arguments: &Arguments) -> Result<(), Exit> {
    let name = target(&arguments.name)?;
    let key = arguments.sign.as_deref().map(SigningKey::read).transpose().map_err(|error| Exit::Wrong(error.to_string()))?;
    let (catalog, reference, origin) = (session::catalog()?, session::reference(&arguments.component)?, Origin::folder("."));
    let (wrong, limits) = (|error: ComponentError| Exit::Wrong(error.message), Loading::default());
    let bytes = catalog.bytes(&reference, &origin, limits).map_err(wrong)?.into_owned();
    let component = catalog.compile(&reference, &bytes, limits).map_err(wrong)?;
    let exports = [wasm::interface(&component.kind().to_string())];
    let pushed = registry::push(&name, bytes, (&component.imports(), &exports), key.as_ref());
    let pushed = pushed.map_err(|error| Exit::Broken(error.into()))?;
    if arguments.json {
        return exit::print(&(serde_json::to_string_pretty(&pushed).map_err(anyhow::Error::from)? + "\n"));
    }
    let signed = if pushed.signed { ", signed" } else { "" };
    exit::print(&format!("{name}: {}{signed}\n{}\n", amount::bytes(pushed.bytes), pushed.name))
}

fn target(text: &str) -> Result<OciName, Exit> {
    match session::reference(text)? {
        ComponentRef::Oci(name) if matches!(name.version, OciVersion::Tag(_)) => Ok(name),
        _ => Err(Exit::Wrong(format!("`{text}` is no place in a registry\n  = help: expected `oci://REGISTRY/NAME:TAG`"))),
    }
}
