//! Stages that come, go, or are fed by others.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Asked, Outcome, Record, Swaps};
use crate::{
    pipeline::{
        plan::{Edge, PlannedStage},
        run::{self, Graph, Stage},
    },
    words::{scope, stage::Input},
};

/// The graph as it shall be.
pub struct Structure {
    /// Its stages, each after those that feed it.
    pub places: Vec<Place>,
    /// Those that are no part of it any more.
    pub removed: Vec<Arc<Stage>>,
}

/// A stage of the graph as it shall be. Edges name those that feed it by their places.
pub enum Place {
    /// It goes on.
    Stays {
        /// Which.
        stage: Arc<Stage>,
        /// What feeds it.
        inputs: Vec<Input>,
        /// By which edges.
        edges: Vec<Edge>,
        /// Whether the file names other stages or ports.
        rewired: bool,
    },
    /// It is new.
    Joins {
        /// As planned.
        planned: Box<PlannedStage>,
        /// Whose place it takes, and why that cannot go on.
        replaces: Option<(Arc<Stage>, String)>,
    },
}

/// A change of the graph that can be carried out: all that is new is open.
pub struct Ready {
    places: Vec<run::Place>,
    /// What is to be told of it, in the order of places; then of those that were removed.
    told: Vec<Told>,
}

/// What a change is to one stage.
struct Told {
    name: String,
    outcome: Outcome,
    /// Its place; none of one that is removed.
    place: Option<usize>,
    /// What runs, or ran.
    old: Option<Arc<Stage>>,
    why: Option<String>,
}

// === impl Place ===

impl Place {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Place::Stays { stage, .. } => &stage.name,
            Place::Joins { planned, .. } => &planned.name,
        }
    }

    fn told(&self, at: usize) -> Option<Told> {
        let (outcome, old, why) = match self {
            Place::Stays { rewired: false, .. } => return None,
            Place::Stays { stage, .. } => (Outcome::Rewired, Some(stage), None),
            Place::Joins { replaces: Some((old, why)), .. } => (Outcome::Replaced, Some(old), Some(why.clone())),
            Place::Joins { replaces: None, .. } => (Outcome::Added, None, None),
        };
        Some(Told { name: self.name().to_owned(), outcome, place: Some(at), old: old.cloned(), why })
    }

    fn open(self, pipeline: &str) -> Result<run::Place, String> {
        Ok(match self {
            Place::Stays { stage, inputs, edges, .. } => run::Place::Stays { stage, inputs, edges },
            Place::Joins { mut planned, replaces } => {
                let _scope = scope::within(pipeline, &planned.name);
                let opened = run::open(&mut planned);
                let instances =
                    opened.map_err(|failure| format!("another instance of `{}` cannot be opened: {}", failure.stage, failure.error))?;
                run::Place::Joins { planned, instances, replaces: replaces.map(|(stage, _)| stage) }
            }
        })
    }
}

// === impl Structure ===

impl Structure {
    /// Opens all instances of what is new, and asks whether the graph can become this one now; or says why not. Nothing is touched.
    pub(super) fn open(self, graph: &Graph, graph_too: bool) -> Result<Ready, String> {
        let Structure { places, removed } = self;
        let gone =
            |stage: Arc<Stage>| Told { name: stage.name.clone(), outcome: Outcome::Removed, place: None, old: Some(stage), why: None };
        let told: Vec<Told> =
            places.iter().enumerate().filter_map(|(at, place)| place.told(at)).chain(removed.into_iter().map(gone)).collect();
        if !graph_too {
            let why = told.iter().find_map(|told| told.why.as_deref()).unwrap_or("other stages would feed it");
            return Err(format!("{why}. A swap leaves that as it is; change the pipeline file, and what depends on it is replaced, too"));
        }
        let places = places.into_iter().map(|place| place.open(&graph.name)).collect::<Result<Vec<_>, _>>()?;
        match graph.refusal(&places) {
            Some(why) => Err(why),
            None => Ok(Ready { places, told }),
        }
    }
}

// === impl Swaps ===

impl Swaps {
    /// Makes the graph the other one, unless a version did not stay, and says what that is to each stage.
    pub(super) fn restructure(&self, ready: Ready, failed: Option<String>, asked: &Asked, records: &mut Vec<Record>) {
        let (Ready { places, told }, began) = (ready, Instant::now());
        let rewired = match failed {
            Some(stage) => Err(format!("another version of `{stage}` did not stay")),
            None => self.graph.rewire(places),
        };
        let (stages, left) = match &rewired {
            Ok(rewired) => (rewired.stages.as_slice(), rewired.settling.wait(began + asked.settings.patience)),
            Err(_) => (&[][..], 0),
        };
        let settled = Instant::now();
        let late = (left > 0).then(|| late(left, asked.settings.patience));
        for told in told {
            let new = told.place.and_then(|place| stages.get(place));
            let old = told.old.as_ref().map(|stage| stage.version());
            let is = new.map(|stage| stage.version());
            let record = match &rewired {
                Err(why) => Record::refused(&told.name, asked, (old.as_ref(), None), ("graph", why.clone())),
                Ok(_) => Record {
                    message: late.clone().or(told.why),
                    trial_seconds: (settled - began).as_secs_f64(),
                    instances: new.map_or(0, |stage| stage.seats().len()),
                    ..Record::new(&told.name, asked, (old.as_ref(), is.as_ref()), told.outcome)
                }
                .with(vec![("rewire", began, settled)]),
            };
            match new.or(told.old.as_ref()) {
                // A version that was swapped has its record: it is fed by others, too.
                _ if told.outcome == Outcome::Rewired && records.iter().any(|known| known.stage == told.name) => continue,
                Some(stage) => self.tell(stage, &record),
                None => self.tell_refused(&record),
            }
            records.push(record);
        }
    }
}

fn late(left: usize, patience: Duration) -> String {
    let stages = if left == 1 { "1 stage has".to_owned() } else { format!("{left} stages have") };
    format!("after {patience:?} {stages} not come to the end of the batches that began before; nothing is lost, it takes longer")
}
