//! The pipeline that a stage is developed in: it runs, is given every new build, and shows what the stage puts out.

use std::{path::Path, sync::Arc, time::Duration};

use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::{
    cli::{
        Exit, PipelineFile, amount,
        exit::{self, tell},
        live::{Changes, complain},
        ruled,
        session::{self, Planned},
        summary,
    },
    pipeline::{
        plan::{ComponentRef, PortId},
        run::{Outcome, Run, Seen, Side, Stage, Stopper, Tap},
        spec::Spec,
        swap::{Record, Trigger},
    },
    words::{batch::RecordBatch, observe::Unobserved, stage::Kind},
};

/// A pipeline that runs.
pub struct Flow {
    run: Run,
    changes: Arc<Changes>,
    stage: Arc<Stage>,
    tap: Tap,
    /// Batches that are still to be shown of this build.
    left: u64,
}

/// How much is shown of what a stage puts out.
#[derive(Clone, Copy)]
pub struct Shown {
    /// Batches after each build.
    pub batches: u64,
    /// Rows of each.
    pub rows: usize,
}

// === impl Flow ===

impl Flow {
    /// Starts the pipeline in which a stage runs this component.
    pub fn start(pipeline: &PipelineFile, component: &Path, shown: Shown, colour: bool) -> Result<Self, Exit> {
        let Planned { spec, plan, catalog, .. } = session::plan(pipeline, colour)?;
        let name = stage_of(&spec, component)?;
        let run = Run::observed(plan, &Unobserved).map_err(|failure| Exit::Broken((*failure).into()))?;
        let unknown = || Exit::Wrong(format!("there is no stage `{name}`"));
        let stage = run.graph().stages.named(&name).ok_or_else(unknown)?;
        let tap = stage.taps.open().map_err(|error| Exit::Broken(error.into()))?;
        let file = std::path::absolute(&pipeline.file).map_err(anyhow::Error::from)?;
        let changes = Arc::new(Changes::new(&run, spec, catalog, file));
        Ok(Flow { run, changes, stage, tap, left: shown.batches })
    }

    /// Gives the stage what was built, while it runs.
    pub fn swap(&mut self, shown: Shown) {
        match self.changes.refresh(Trigger::Watch) {
            Ok(records) => {
                records.iter().for_each(|record| tell(format_args!("{}", said(record))));
                self.left = shown.batches;
                self.tap_what_runs();
            }
            Err(refusal) => {
                tell(format_args!("error: {refusal}"));
                complain(&refusal);
            }
        }
    }

    /// From here on, what the new version puts out: what waits to be shown is the old one's. Where something else is put out than before,
    /// another stage has taken the place of this one.
    fn tap_what_runs(&mut self) {
        let Some(stage) = self.run.graph().stages.named(&self.stage.name) else { return };
        if let Ok(tap) = stage.taps.open() {
            (self.stage, self.tap) = (stage, tap);
        }
    }

    /// Shows the next batch, if there is one soon and any is still to be shown.
    pub fn show(&mut self, shown: Shown, most: Duration) -> Result<(), Exit> {
        let Some(seen) = self.tap.next(most) else { return Ok(()) };
        let sought = match seen.side {
            Side::In(_) => self.stage.kind == Kind::Load,
            Side::Out(_) => true,
        };
        if self.left == 0 || !sought || seen.batch.num_rows() == 0 {
            return Ok(());
        }
        self.left -= 1;
        exit::print(&self.table(&seen, shown.rows))
    }

    fn table(&self, seen: &Seen, rows: usize) -> String {
        let planned = self.stage.planned();
        let port = match seen.side {
            Side::Out(PortId::Out(port)) => planned.ports.get(port as usize).map_or("out", |port| port.name.as_str()),
            Side::Out(PortId::Rejected) => "rejected",
            Side::In(_) => "in",
        };
        let count = amount::count(seen.batch.num_rows() as u64);
        format!("{}.{port}, generation {}: {count} rows\n{}", self.stage.name, self.stage.version().generation, table(&seen.batch, rows))
    }

    /// What ends it: loads commit what they have.
    pub fn stopper(&self) -> Stopper {
        self.run.stopper()
    }

    /// Whether it has come to its end.
    pub fn over(&self) -> bool {
        self.run.finished()
    }

    /// Says how it ended, and what the stage's calls have cost.
    pub fn end(self) {
        let name = self.stage.name.clone();
        let report = self.run.wait();
        if let Some(stage) = report.stages.iter().find(|stage| stage.name == name) {
            tell(format_args!("{}", summary::line(stage)));
        }
        match report.outcome {
            Outcome::Completed => tell(format_args!("the pipeline has come to its end; the next build runs it again")),
            Outcome::Stopped => {}
            Outcome::Failed | Outcome::Aborted => summary::complain(&report),
        }
    }
}

/// The stage that runs this component, by the file.
fn stage_of(spec: &Spec, component: &Path) -> Result<String, Exit> {
    let built = component.canonicalize().ok();
    let runs = |reference: &ComponentRef| match reference {
        ComponentRef::Path(path) => spec.base.join(path).canonicalize().ok() == built,
        ComponentRef::Std(_) | ComponentRef::Oci(_) => false,
    };
    let found = spec.stages.iter().find(|stage| runs(&stage.component)).map(|stage| stage.name.clone());
    found.ok_or_else(|| {
        let (file, shown) = (spec.source.name(), component.display());
        Exit::Wrong(format!(
            "no stage of `{file}` runs what is built here\n  = help: write `component = \"{shown}\"` in the stage that is to run it"
        ))
    })
}

fn said(record: &Record) -> String {
    let why = record.message.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    let (stage, outcome) = (&record.stage, record.outcome.as_str());
    match (&record.new, record.outcome.stays()) {
        (Some(new), true) => {
            let pause = amount::seconds(record.pause_seconds);
            format!("{stage}: {outcome}, generation {} took over, pause {pause}{why}", new.generation)
        }
        _ => format!("{stage}: {outcome}{why}"),
    }
}

/// The first rows of a batch.
fn table(batch: &RecordBatch, rows: usize) -> String {
    let options = FormatOptions::default().with_null("null");
    let columns: Vec<_> = batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options)).collect();
    let cell = |column: &Result<ArrayFormatter<'_>, _>, row: usize| match column {
        Ok(formatter) => formatter.value(row).try_to_string().unwrap_or_else(|error| error.to_string()),
        Err(_) => "?".to_owned(),
    };
    let names: Vec<&str> = batch.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    ruled::table(&names, (0..batch.num_rows().min(rows)).map(|row| columns.iter().map(|column| cell(column, row)).collect()))
}
