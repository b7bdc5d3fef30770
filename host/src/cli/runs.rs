//! `parshall runs`: which runs there were, and what became of them.

use std::path::PathBuf;

use serde_json::json;

use super::{Exit, amount, exit, live::registry, ruled, session, state};
use crate::state::{RunRow, Store};

/// Arguments of `parshall runs`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Only the runs of this pipeline file, kept where it says.
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// Look here [default: as `parshall run`].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    state_dir: Option<PathBuf>,
    /// So many of them, the newest.
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    last: u64,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// Lists them.
pub fn runs(arguments: &Arguments, colour: bool) -> Result<(), Exit> {
    let spec = arguments.file.as_deref().map(|file| session::read(file, colour)).transpose()?;
    let folder = state::folder(arguments.state_dir.as_deref(), spec.as_ref().map(|spec| &spec.delivery)).map_err(Exit::Wrong)?;
    let Some(folder) = folder else { return Err(Exit::Wrong("runs are not recorded: the folder for state is `off`".into())) };
    let file = arguments.file.as_ref().map(|file| file.canonicalize().unwrap_or_else(|_| file.clone()));
    let store = Store::look(&folder).map_err(anyhow::Error::from)?;
    let mut runs = match store {
        Some(store) => store.runs(file.as_deref(), arguments.last).map_err(anyhow::Error::from)?,
        None => Vec::new(),
    };
    for run in runs.iter_mut().filter(|run| run.state == "running" && !registry::lives(run.pid, run.born)) {
        run.state = "killed".to_owned();
    }
    if arguments.json {
        let text = serde_json::to_string_pretty(&json!({ "runs": runs })).map_err(anyhow::Error::from)?;
        return exit::print(&(text + "\n"));
    }
    if runs.is_empty() {
        return exit::print(&format!("no run is recorded in `{}`\n", folder.display()));
    }
    let header = ["run", "pipeline", "state", "started", "took", "rows in", "rows out", "checkpoints", "resumed from", "error"];
    exit::print(&ruled::table(&header, runs.iter().map(row)))
}

fn row(run: &RunRow) -> Vec<String> {
    let until = match (run.ended_at, run.state.as_str()) {
        (Some(ended), _) => Some(ended),
        (None, "running") => Some(registry::now()),
        // Nobody knows when.
        (None, _) => None,
    };
    let error = run.error.as_deref().unwrap_or_default().lines().next().unwrap_or_default();
    vec![
        run.id.to_string(),
        run.pipeline.clone(),
        run.state.clone(),
        format!("{} ago", amount::lasting((registry::now() - run.started_at).max(0.0))),
        until.map_or_else(|| "-".to_owned(), |until| took((until - run.started_at).max(0.0))),
        amount::count(run.rows_in),
        amount::count(run.rows_out),
        amount::count(run.checkpoints),
        run.resumed.map_or_else(|| "-".to_owned(), |number| format!("checkpoint {number}")),
        error.to_owned(),
    ]
}

/// Most runs take less than a second: that is no reason to say that they took none.
fn took(seconds: f64) -> String {
    if seconds < 1.0 { amount::seconds(seconds) } else { amount::lasting(seconds) }
}
