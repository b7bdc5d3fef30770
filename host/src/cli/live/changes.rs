//! All changes of a run, whoever triggers them: read what shall be, let [`Swaps`] do it, write the audit.

use std::{path::PathBuf, sync::Arc, time::Instant};

use super::{
    audit,
    still::{self, Still},
};
use crate::{
    catalog::Catalog,
    cli::exit,
    pipeline::{
        diagnostic::Diagnostic,
        run::{Graph, Run},
        spec::Spec,
        swap::{Record, Refusal, Request, Swaps, Trigger},
    },
};

/// Changes a run, and writes down what was changed.
pub struct Changes {
    swaps: Swaps,
    /// The pipeline file, absolute.
    pub file: PathBuf,
}

impl Changes {
    /// Of a run of this file.
    pub fn new(run: &Run, spec: Spec, catalog: Catalog, file: PathBuf) -> Self {
        Changes { swaps: Swaps::new(run.graph().clone(), spec, Arc::new(Still(catalog))), file }
    }

    /// What runs.
    pub fn graph(&self) -> &Graph {
        self.swaps.graph()
    }

    /// The pipeline as it runs.
    pub fn spec(&self) -> Spec {
        self.swaps.spec()
    }

    /// What has been changed, or was refused.
    pub fn records(&self) -> Vec<Record> {
        self.swaps.records()
    }

    /// Whether there is nothing left to change.
    pub fn over(&self) -> bool {
        self.graph().finished()
    }

    /// One stage runs another component.
    pub fn swap(&self, request: &Request) -> Result<Option<Record>, Refusal> {
        let record = self.swaps.swap(request).inspect_err(|refusal| audit::refused(&self.graph().name, request.trigger, refusal))?;
        record.iter().for_each(|record| audit::write(&self.graph().name, record));
        Ok(record)
    }

    /// What runs becomes what the pipeline file and the files of its components say.
    pub fn reload(&self, trigger: Trigger) -> Result<Vec<Record>, Refusal> {
        let began = Instant::now();
        let spec = still::load(&self.file).map_err(Refusal::Mistakes);
        let spec = spec.inspect_err(|refusal| {
            self.swaps.refused(None, trigger, refusal, &vec![("load", began, Instant::now())]);
            audit::refused(&self.graph().name, trigger, refusal);
        })?;
        let settings = spec.swap;
        self.told(trigger, self.swaps.change(spec, trigger, settings))
    }

    /// What runs goes on by the components that are now in its files.
    pub fn refresh(&self, trigger: Trigger) -> Result<Vec<Record>, Refusal> {
        self.told(trigger, self.swaps.refresh(trigger))
    }

    fn told(&self, trigger: Trigger, records: Result<Vec<Record>, Refusal>) -> Result<Vec<Record>, Refusal> {
        let records = records.inspect_err(|refusal| audit::refused(&self.graph().name, trigger, refusal))?;
        records.iter().for_each(|record| audit::write(&self.graph().name, record));
        Ok(records)
    }

    /// The files from which stages are made, each once: components that are no part of this program.
    pub fn components(&self) -> Vec<PathBuf> {
        self.swaps.component_files()
    }
}

/// Says on standard error why what a file asks for was refused: there is nobody else to tell.
pub fn complain(refusal: &Refusal) {
    if let Refusal::Mistakes(diagnostics) = refusal {
        exit::tell(format_args!("{}what runs goes on as it was", rendered(diagnostics)));
    }
}

/// Diagnostics as text.
pub fn rendered(diagnostics: &[Diagnostic]) -> String {
    crate::pipeline::diagnostic::render_all(diagnostics, false)
}
