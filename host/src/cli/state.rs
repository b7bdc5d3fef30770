//! What a run leaves for those that come after it: that it was, and how far it came.

use std::{
    env,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Exit, exit, live::registry};
use crate::{
    pipeline::{
        footing::Footing,
        run::{Delivering, Report},
        spec::{DeliverySettings, Spec},
    },
    state::{Begun, Ended, Key, Lock, Recorder, Saved, StateError, Store},
    words::{
        delivery::{Delivery, Kept},
        stage::Kind,
    },
};

/// Arguments of `parshall run` about state.
#[derive(clap::Args)]
#[command(next_help_heading = "State")]
pub struct Arguments {
    /// Keep here which runs there were and how far they came [default: `state` of the pipeline file, $PARSHALL_STATE_DIR, or
    /// parshall/ in the user's folder for state].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    state_dir: Option<PathBuf>,
    /// Begin anew, and do not go on from the last checkpoint of a run that did not come to its end.
    #[arg(long)]
    restart: bool,
}

/// The state of a pipeline that is about to run.
pub struct State {
    key: Key,
    settings: DeliverySettings,
    footing: Footing,
    /// None: this run is not recorded.
    store: Option<Arc<Store>>,
    _lock: Option<Lock>,
    delivery: Option<Arc<Delivery>>,
    resumed: Option<Saved>,
    run: Option<i64>,
}

/// The folder of the state; none where it is `off`.
pub fn folder(argument: Option<&Path>, settings: Option<&DeliverySettings>) -> Result<Option<PathBuf>, String> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let said = argument.map(Path::to_path_buf).or_else(|| settings.and_then(|settings| settings.state.clone()));
    let said = said.or_else(|| set("PARSHALL_STATE_DIR"));
    if said.as_deref() == Some(Path::new("off")) {
        return Ok(None);
    }
    let of_user = || set("XDG_STATE_HOME").or_else(|| set("HOME").map(|home| home.join(".local/state"))).map(|base| base.join("parshall"));
    said.or_else(of_user).map(Some).ok_or_else(|| "neither $PARSHALL_STATE_DIR nor $XDG_STATE_HOME nor $HOME is set".to_owned())
}

impl Arguments {
    /// Looks where the pipeline stands. A pipeline that takes checkpoints cannot run without its state; any other can.
    pub fn prepare(&self, spec: &Spec, file: &Path) -> Result<State, Exit> {
        let file = std::path::absolute(file).map_err(anyhow::Error::from)?;
        let key = Key { pipeline: spec.name.clone(), file: file.canonicalize().unwrap_or(file) };
        let mut state = State {
            key,
            settings: spec.delivery.clone(),
            footing: Footing::of(spec),
            store: None,
            _lock: None,
            delivery: None,
            resumed: None,
            run: None,
        };
        let checkpoints = spec.delivery.checkpoint.is_some();
        let opened = folder(self.state_dir.as_deref(), Some(&spec.delivery))
            .and_then(|folder| folder.map(|folder| Store::open(&folder, checkpoints)).transpose().map_err(|error| error.to_string()));
        match opened {
            Ok(store) => state.store = store.map(Arc::new),
            Err(why) if checkpoints => return Err(Exit::Broken(anyhow::anyhow!("{why}; checkpoints need it"))),
            Err(why) => exit::tell(format_args!("warning: this run is not recorded: {why}")),
        }
        if checkpoints {
            self.stand(&mut state)?;
        }
        Ok(state)
    }

    /// Where the pipeline stands: at its last checkpoint, or at its beginning.
    fn stand(&self, state: &mut State) -> Result<(), Exit> {
        let Some(store) = &state.store else {
            return Err(Exit::Wrong(
                "the pipeline takes checkpoints, and there is no folder for state (it is `off`); name one by `--state-dir`".into(),
            ));
        };
        state._lock = Some(store.lock(&state.key).map_err(broken)?);
        let saved = store.checkpoint(&state.key).map_err(broken)?;
        state.delivery = Some(Arc::new(match saved {
            // One that has begun and taken no checkpoint begins once more.
            Some(Saved { lineage, number: 0, former, .. }) => Delivery::new(lineage, 0, former),
            Some(saved) if !self.restart => {
                if let Some(why) = state.footing.misfit(&saved.footing, &saved.stages) {
                    return Err(Exit::Wrong(format!(
                        "`{}` cannot go on from checkpoint {} of run {}: {why}; undo that, or begin anew by `--restart`",
                        state.key.file.display(),
                        saved.number,
                        saved.run
                    )));
                }
                let delivery = Delivery::new(saved.lineage.clone(), saved.number, None);
                state.resumed = Some(saved);
                delivery
            }
            Some(saved) => Delivery::new(Delivery::name(), 0, Some(saved.lineage)),
            None => Delivery::new(Delivery::name(), 0, None),
        }));
        Ok(())
    }
}

impl State {
    /// What whoever writes tables shares with the run.
    pub fn delivery(&self) -> Option<Arc<Delivery>> {
        self.delivery.clone()
    }

    /// What stages remembered at the checkpoint that the run goes on from.
    pub fn kept(&self) -> &[Kept] {
        self.resumed.as_ref().map_or(&[], |saved| &saved.stages)
    }

    /// A pipeline that cannot be opened may be one that cannot be resumed.
    pub fn explain(&self, exit: Exit) -> Exit {
        match (exit, &self.resumed) {
            (Exit::Diagnostics(text), Some(saved)) => {
                let number = saved.number;
                Exit::Diagnostics(format!("{text}note: the run was to go on from checkpoint {number}; `--restart` begins anew\n"))
            }
            (exit, _) => exit,
        }
    }

    /// The run begins: it is recorded, and what the last checkpoint has decided is settled. Answers how checkpoints are taken.
    pub fn begin(&mut self) -> Result<Option<Delivering>, Exit> {
        let Some(store) = self.store.clone() else { return Ok(None) };
        let pid = std::process::id();
        let resumed = self.resumed.as_ref().map(|saved| saved.number);
        let begun = Begun { key: self.key.clone(), pid, born: registry::born(pid), resumed, keep: self.settings.runs };
        match store.begin(&begun) {
            Ok(run) => self.run = Some(run),
            Err(error) if self.delivery.is_some() => return Err(broken(error)),
            Err(error) => {
                exit::tell(format_args!("warning: this run is not recorded: {error}"));
                return Ok(None);
            }
        }
        let (Some(delivery), Some(every), Some(run)) = (self.delivery.clone(), self.settings.checkpoint, self.run) else { return Ok(None) };
        let recorder = Recorder { store, key: self.key.clone(), run, lineage: delivery.lineage.clone(), footing: self.footing.text() };
        if self.resumed.is_none() {
            recorder.begin(delivery.former.as_deref()).map_err(broken)?;
        }
        let settled = delivery.settle().map_err(|error| anyhow::anyhow!("checkpoint {}: {error}", delivery.decided()));
        settled.inspect_err(|error| self.failed(error.to_string()))?;
        let mut ended = Vec::new();
        if let Some(saved) = &self.resumed {
            let ago = super::amount::lasting((registry::now() - saved.taken_at).max(0.0));
            exit::tell(format_args!("going on from checkpoint {} of run {}, taken {ago} ago", saved.number, saved.run));
            ended.extend(saved.stages.iter().filter(|kept| kept.ended).map(|kept| kept.stage.clone()));
        }
        Ok(Some(Delivering { every, snapshot_bytes: self.settings.snapshot, delivery, journal: Arc::new(recorder), ended }))
    }

    /// The run could not begin.
    pub fn failed(&self, error: String) {
        self.end(&Ended { state: "failed", rows_in: 0, rows_out: 0, error: Some(error) });
    }

    /// The run has ended.
    pub fn ended(&self, report: &Report) {
        let of = |kind: Kind| report.stages.iter().filter(move |stage| stage.kind == kind);
        let rows_in = of(Kind::Extract).map(|stage| stage.rows.out).sum();
        let rows_out = of(Kind::Load).filter_map(|stage| stage.receipt.as_ref()).map(|receipt| receipt.rows).sum();
        let error = report.error.as_ref().map(|error| match error.stage.as_str() {
            "" => error.message.clone(),
            stage => format!("stage `{stage}` failed in `{}`: {}", error.during, error.message),
        });
        self.end(&Ended { state: report.outcome.as_str(), rows_in, rows_out, error });
    }

    /// The run is what it is: a record that cannot be written does not make it fail.
    fn end(&self, ended: &Ended) {
        let (Some(store), Some(run)) = (&self.store, self.run) else { return };
        if let Err(error) = store.end(run, &self.key, ended) {
            exit::tell(format_args!("warning: how the run ended is not recorded: {error}"));
        }
    }
}

fn broken(error: StateError) -> Exit {
    Exit::Broken(error.into())
}
