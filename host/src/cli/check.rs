//! `parshall check`: every mistake in a pipeline file, without running it.

use super::{Exit, PipelineFile, exit, session};
use crate::{
    pipeline::{
        plan::{Plan, PlannedStage},
        spec::limits::LIMITS,
    },
    words::{
        batch::SchemaRef,
        limits::{Limits, Metering},
    },
};

/// Arguments of `parshall check`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineFile,
    /// Show every limit of every stage, also those that are at their defaults.
    #[arg(long)]
    limits: bool,
    /// Say nothing when all is well.
    #[arg(short, long)]
    quiet: bool,
}

/// Checks it: components are loaded and stages opened, so schemas and configurations are known to fit.
pub fn check(arguments: &Arguments, colour: bool) -> Result<(), Exit> {
    let plan = session::plan(&arguments.pipeline, colour)?.plan;
    if arguments.quiet { Ok(()) } else { exit::print(&text(&plan, arguments.limits)) }
}

fn text(plan: &Plan, every_limit: bool) -> String {
    let mut text = format!("{}: {} stages, no mistakes\n", plan.name, plan.stages.len());
    for stage in &plan.stages {
        text.push_str(&stage_text(stage));
        text.push_str(&limits(&stage.opening.limits, every_limit));
    }
    text
}

fn stage_text(stage: &PlannedStage) -> String {
    let inputs: Vec<_> = stage.opening.inputs.iter().map(|input| input.name.as_str()).collect();
    let from = if inputs.is_empty() { String::new() } else { format!(" ← {}", inputs.join(", ")) };
    let mut text = format!("\n{} {} ({} {}){from}\n", stage.kind, stage.name, stage.reference, stage.component.digest().short());
    for port in &stage.ports {
        text.push_str(&format!("  {}: {}\n", port.name, columns(&port.schema)));
    }
    let grants = &stage.opening.grants;
    let places = |what: &str, places: &[crate::words::grants::Place]| {
        let places: Vec<_> = places.iter().map(ToString::to_string).collect();
        if places.is_empty() { String::new() } else { format!("  may {what}: {}\n", places.join(", ")) }
    };
    text.push_str(&places("read", &grants.read));
    text.push_str(&places("write", &grants.write));
    for (granted, what) in [
        (grants.telemetry, "write logs, count and open spans"),
        (grants.state, "keep keys and values"),
        (grants.clocks, "tell the time and wait"),
        (grants.random, "have random numbers"),
    ] {
        if granted {
            text.push_str(&format!("  may {what}\n"));
        }
    }
    let others =
        |what: &str, names: &[String]| if names.is_empty() { String::new() } else { format!("  may {what}: {}\n", names.join(", ")) };
    text.push_str(&others("see the variables", &grants.environment));
    text.push_str(&others("send requests to", &grants.http.iter().map(ToString::to_string).collect::<Vec<_>>()));
    text
}

/// How calls are metered where that is not by their fuel, and the limits that the file sets, or all of them.
fn limits(limits: &Limits, every: bool) -> String {
    let defaults = Limits::default();
    let mut text = match limits.metering {
        Metering::Fuel => String::new(),
        Metering::Epoch => "  metering epoch: fuel is not counted\n".to_owned(),
        Metering::Sampled(every) => format!("  metering sampled: the fuel of one call in {every} is counted\n"),
    };
    for limit in LIMITS {
        let (shown, default) = (limit.shown(limits), limit.shown(&defaults));
        if shown != default {
            text.push_str(&format!("  limit {}: {shown} (default {default})\n", limit.key.name));
        } else if every {
            text.push_str(&format!("  limit {}: {shown}\n", limit.key.name));
        }
    }
    text
}

/// `name: type, …`; `?` marks a column that may hold nulls.
fn columns(schema: &SchemaRef) -> String {
    let columns = schema.fields().iter().map(|field| {
        let nullable = if field.is_nullable() { "?" } else { "" };
        format!("{} {}{nullable}", field.name(), field.data_type())
    });
    columns.collect::<Vec<_>>().join(", ")
}
