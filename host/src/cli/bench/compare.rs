//! `--compare`: two versions of stages, or two settings.

use std::path::Path;

use comfy_table::Table;
use serde_json::json;

use super::{Arguments, answer::percent, bar, broken, prepare, table, told, write};
use crate::{
    bench::{Captured, Difference, Versus, versus},
    cli::{Exit, PipelineFile, amount, exit, outputs, session, summary::RULED},
    measure::Verdict,
    pipeline::plan::{Plan, PlannedStage},
    words::stage::Kind,
};

/// Compares; exit code 1 if something is slower than it may be.
pub fn compare(
    arguments: &Arguments,
    versions: &[String],
    file: Option<&Path>,
    outputs: &[outputs::Output<'_>],
    colour: bool,
) -> Result<(), Exit> {
    let [a, b] = versions else { return Err(Exit::Wrong("--compare takes two: A and B".into())) };
    let (prepared, other) = match file {
        Some(file) => components(arguments, file, [a, b], colour)?,
        None => {
            let prepared = prepare::prepare(Path::new(a), arguments, colour)?;
            (prepared, session::plan(&PipelineFile::of(Path::new(b)), colour)?.plan)
        }
    };
    outputs::check(outputs, file.unwrap_or(Path::new(a)))?;
    outputs::check_plan(outputs, &prepared.plan)?;
    let pairs = pairs(&prepared.plan, &prepared.captured, &other, [a, b])?;
    let bar = bar(arguments.progress);
    let settings = (arguments.time, arguments.threshold);
    let differences = versus(&pairs, &arguments.sizes(), settings, &|stage, rows, done| told(&bar, stage, rows, done));
    bar.finish_and_clear();
    let differences = differences.map_err(broken)?;
    exit::print(&text(&differences, [a, b], arguments.threshold))?;
    if let Some(path) = &arguments.json {
        let document = json!({ "format": 1, "a": a, "b": b, "threshold": arguments.threshold, "machine": prepare::machine(), "differences": differences });
        write(path, &(serde_json::to_string_pretty(&document).map_err(anyhow::Error::from)? + "\n"))?;
    }
    if differences.iter().any(|difference| difference.exceeds) { Err(Exit::Failed) } else { Ok(()) }
}

/// FILE with one component, and with another.
fn components(arguments: &Arguments, file: &Path, [a, b]: [&str; 2], colour: bool) -> Result<(prepare::Prepared, Plan), Exit> {
    let [name] = &arguments.stage[..] else {
        return Err(Exit::Wrong("--compare with FILE compares two components of one stage: name it by --stage".into()));
    };
    let mut prepared = prepare::prepare(file, arguments, colour)?;
    let make = |component: &str| {
        let mut spec = prepared.spec.clone();
        let reference = prepare::typed(component)?;
        spec.stages.iter_mut().filter(|stage| stage.name == *name).for_each(|stage| stage.component = reference.clone());
        let mut plan = Plan::make(&spec, &prepared.catalog).map_err(|diagnostics| Exit::diagnostics(&diagnostics, colour))?;
        // Arms open their own; a load that stays open keeps its target to itself.
        plan.stages.iter_mut().for_each(|stage| drop(stage.take_opened()));
        Ok::<_, Exit>(plan)
    };
    let (old, new) = (make(a)?, make(b)?);
    prepared.plan = old;
    Ok((prepared, new))
}

/// Each transform that is in both and gets the same columns in both.
fn pairs<'a>(old: &'a Plan, captured: &'a [Captured], new: &'a Plan, [a, b]: [&str; 2]) -> Result<Vec<Versus<'a>>, Exit> {
    let mut pairs = Vec::new();
    for captured in captured.iter().filter(|captured| captured.inputs.iter().flatten().any(|batch| batch.num_rows() > 0)) {
        let stage = &old.stages[captured.stage];
        let same = |other: &&PlannedStage| other.kind == Kind::Transform && other.name == stage.name;
        let Some(other) = new.stages.iter().find(same) else {
            exit::tell(format_args!("note: stage `{}` is in {a} only: it is not compared", stage.name));
            continue;
        };
        let schemas = |stage: &PlannedStage| stage.opening.inputs.iter().map(|input| input.schema.clone()).collect::<Vec<_>>();
        if schemas(stage) != schemas(other) {
            return Err(Exit::Wrong(format!(
                "stage `{}` gets other columns in {b} than in {a}: its rows cannot be given to both",
                stage.name
            )));
        }
        pairs.push(Versus { old: stage, new: other, inputs: &captured.inputs });
    }
    if pairs.is_empty() {
        return Err(Exit::Wrong(format!("{a} and {b} have no transform in common")));
    }
    Ok(pairs)
}

fn text(differences: &[Difference], [a, b]: [&str; 2], threshold: f64) -> String {
    let mut table = Table::new();
    table.load_style(RULED);
    table.set_header(["stage", "rows", "A", "B", "B / A", "95 %", "noise floor", ""]);
    for difference in differences {
        let told = match (difference.exceeds, difference.verdict) {
            (true, _) => "SLOWER",
            (false, Verdict::Slower) => "slower, within the threshold",
            (false, Verdict::Faster) => "faster",
            (false, Verdict::Same) => "no difference",
        };
        table.add_row([
            difference.stage.clone(),
            amount::count(difference.rows as u64),
            amount::seconds(difference.old.median),
            amount::seconds(difference.new.median),
            format!("{:.3}", difference.ratio.median),
            format!("{:.3} to {:.3}", difference.ratio.low, difference.ratio.high),
            format!("± {}", percent(difference.floor)),
            told.to_owned(),
        ]);
    }
    let slower = differences.iter().filter(|difference| difference.exceeds).count();
    let ending = match slower {
        0 => format!("nothing is slower by more than {}", percent(threshold)),
        _ => format!("{slower} of {} slower by more than {}", amount::of(differences.len() as u64, "comparison"), percent(threshold)),
    };
    format!("A is {a}, B is {b}\n{}{ending}\n", table::lines(&table))
}
