//! `parshall ps`: which pipelines of this user run on this machine and can be asked.

use serde_json::json;

use super::{
    Exit,
    admin::shapes::{StageStatus, Status},
    amount,
    client::{Client, Target},
    exit,
    live::registry::{self, Entry},
    ruled,
};

/// Arguments of `parshall ps`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// Lists them.
pub fn ps(arguments: &Arguments) -> Result<(), Exit> {
    let runs: Vec<(Entry, Option<Status>)> = registry::all().into_iter().map(asked).collect();
    if arguments.json {
        let runs: Vec<_> = runs
            .iter()
            .map(|(entry, status)| {
                json!({
                    "pid": entry.pid, "pipeline": entry.pipeline, "file": entry.file, "addr": entry.addr.to_string(),
                    "started_at": entry.started_at, "run": status.as_ref().map(|status| &status.run),
                })
            })
            .collect();
        let text = serde_json::to_string_pretty(&json!({ "runs": runs })).map_err(anyhow::Error::from)?;
        return exit::print(&(text + "\n"));
    }
    if runs.is_empty() {
        return exit::print("no run of this user can be asked; begin one by `parshall run FILE --admin`\n");
    }
    let rows = runs.iter().map(|(entry, status)| row(entry, status.as_ref()));
    exit::print(&ruled::table(&["pid", "pipeline", "state", "up", "rows read", "swaps", "file"], rows))
}

/// A run that does not answer is listed nevertheless.
fn asked(entry: Entry) -> (Entry, Option<Status>) {
    let status = Client::new(Target::from(&entry)).and_then(|client| client.get("/v1/status")).ok();
    (entry, status)
}

fn row(entry: &Entry, status: Option<&Status>) -> Vec<String> {
    let known = |what: &dyn Fn(&Status) -> String| status.map_or_else(|| "-".to_owned(), what);
    let brought = |stage: &&StageStatus| stage.kind == "extract";
    vec![
        entry.pid.to_string(),
        entry.pipeline.clone(),
        status.map_or_else(|| "does not answer".to_owned(), |status| status.run.state.clone()),
        known(&|status| amount::lasting(status.run.uptime_seconds)),
        known(&|status| amount::count(status.stages.iter().filter(brought).map(|stage| stage.rows_out).sum())),
        known(&|status| status.run.swaps.to_string()),
        entry.file.display().to_string(),
    ]
}
