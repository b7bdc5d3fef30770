//! `parshall status`: a run and its stages as they are now.

use super::{
    Exit,
    admin::shapes::{StageStatus, Status},
    amount,
    client::{Client, Which},
    exit, ruled,
};

/// Arguments of `parshall status`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Print one JSON document; ADMIN.md names its fields.
    #[arg(long)]
    json: bool,
}

const HEADER: [&str; 12] =
    ["stage", "component", "gen", "rows in", "rows out", "rejected", "busy", "p50", "p95", "p99", "queue", "fuel / row"];

/// Prints it.
pub fn status(arguments: &Arguments) -> Result<(), Exit> {
    let client = Client::new(arguments.which.target()?)?;
    if arguments.json {
        let document: serde_json::Value = client.get("/v1/status")?;
        return exit::print(&(serde_json::to_string_pretty(&document).map_err(anyhow::Error::from)? + "\n"));
    }
    let status: Status = client.get("/v1/status")?;
    exit::print(&text(&status))
}

fn text(status: &Status) -> String {
    let run = &status.run;
    let mut text = format!(
        "{}: {} for {} · pid {} · {} · {}\n",
        run.pipeline,
        run.state,
        amount::lasting(run.uptime_seconds),
        run.pid,
        run.file.display(),
        amount::of(run.swaps, "swap")
    );
    text.push_str(&ruled::table(&HEADER, status.stages.iter().map(|stage| row(stage, run.uptime_seconds))));
    for stage in &status.stages {
        if let Some(error) = &stage.last_error {
            text.push_str(&format!("{}: {error}\n", stage.name));
        }
    }
    text
}

fn row(stage: &StageStatus, uptime: f64) -> Vec<String> {
    let took = |seconds| if stage.calls == 0 { "-".to_owned() } else { amount::seconds(seconds) };
    let name = if stage.instances > 1 { format!("{} ×{}", stage.name, stage.instances) } else { stage.name.clone() };
    vec![
        name,
        stage.component.clone(),
        stage.generation.to_string(),
        if stage.kind == "extract" { "-".to_owned() } else { amount::count(stage.rows_in) },
        amount::count(stage.rows_out),
        amount::count(stage.rows_rejected),
        format!("{:.0} %", 100.0 * stage.busy_seconds / uptime.max(1e-3) / stage.instances.max(1) as f64),
        took(stage.call_seconds.p50),
        took(stage.call_seconds.p95),
        took(stage.call_seconds.p99),
        stage
            .queue
            .map_or_else(|| "-".to_owned(), |queue| format!("{} / {}", amount::bytes(queue.bytes), amount::bytes(queue.bound_bytes))),
        amount::short(stage.fuel_per_row.round() as u64),
    ]
}
