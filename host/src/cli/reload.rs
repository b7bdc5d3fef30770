//! `parshall reload`: a run reads its pipeline file and its components again, and changes what is different.

use serde_json::json;

use super::{
    Exit,
    client::{self, Client, Records, Which},
};

/// Arguments of `parshall reload`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
}

/// Reloads, waits for the last word, and prints it.
pub fn reload(arguments: &Arguments) -> Result<(), Exit> {
    let client = Client::new(arguments.which.target()?)?;
    let answer: Records = client.post("/v1/reload", &json!({}))?;
    client::print(&answer.records)
}
