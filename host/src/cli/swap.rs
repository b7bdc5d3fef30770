//! `parshall swap`: another component for a stage, while it runs.

use serde::Deserialize;

use super::{
    Exit,
    admin::shapes::{SwapRequest, Trying},
    client::{self, Client, Told, Which, escaped},
    session,
};
use crate::pipeline::plan::ComponentRef;

/// Arguments of `parshall swap`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The stage.
    #[arg(value_name = "STAGE")]
    stage: String,
    /// What it shall run: a path, `std:NAME`, or `oci://…`.
    #[arg(value_name = "COMPONENT", value_hint = clap::ValueHint::FilePath)]
    component: String,
    #[command(flatten)]
    which: Which,
    #[command(flatten, next_help_heading = "How it is tried [default: as the pipeline file's [swap] says]")]
    trying: Trying,
}

#[derive(Deserialize)]
struct Answer {
    record: Option<Told>,
}

/// Swaps, waits for the last word, and prints it.
pub fn swap(arguments: Arguments) -> Result<(), Exit> {
    let client = Client::new(arguments.which.target()?)?;
    let record = ask(&client, &arguments.stage, &arguments.component, arguments.trying)?;
    client::print(record.as_slice())
}

/// Has a stage swapped. What runs already is no change: there is nothing to tell then.
pub fn ask(client: &Client, stage: &str, component: &str, trying: Trying) -> Result<Option<Told>, Exit> {
    let request = SwapRequest { component: absolute(component)?, trying };
    let answer: Answer = client.post(&format!("/v1/stages/{}/swap", escaped(stage)), &request)?;
    Ok(answer.record)
}

/// As the run would find it: its folder is another than ours.
fn absolute(component: &str) -> Result<String, Exit> {
    let ComponentRef::Path(path) = session::reference(component)? else { return Ok(component.to_owned()) };
    let path = path.canonicalize().map_err(|error| Exit::Wrong(format!("`{component}`: {error}")))?;
    path.into_os_string().into_string().map_err(|_| Exit::Wrong(format!("`{component}`: this path is not UTF-8")))
}
