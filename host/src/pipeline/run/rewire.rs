//! Wiring the graph otherwise while it runs: stages join, leave, and are fed by others.
//!
//! A change takes hold where batches begin: each extract goes over to its new ways out between two batches, and closes the old ones.
//! A stage whose old edges have all closed, and that has taken everything that came by them, goes over in its turn, and so on
//! downstream; one that was removed ends there, as if its inputs had ended. What comes by new edges waits meanwhile
//! ([`super::queue`]). So every batch goes all its way either by the old wiring or by the new one, no batch overtakes another, and no
//! thread waits for the change itself.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    facts,
    graph::Graph,
    outlets::{Next, Outlet, Outlets},
    queue::{Queue, Unprepared},
    settling::Settling,
    stage::{self, Stage},
};
use crate::{
    pipeline::plan::{Edge, Opened, PlannedStage},
    words::stage::{Input, Kind},
};

/// A stage of the pipeline as it shall be. Edges name the stages that feed it by their places in a list.
pub enum Place {
    /// One that goes on, with what it runs and remembers.
    Stays {
        /// Which.
        stage: Arc<Stage>,
        /// What feeds it.
        inputs: Vec<Input>,
        /// By which edges.
        edges: Vec<Edge>,
    },
    /// One that joins.
    Joins {
        /// As planned.
        planned: Box<PlannedStage>,
        /// Its instances.
        instances: Vec<Opened>,
        /// The stage whose place it takes: it begins when that has ended.
        replaces: Option<Arc<Stage>>,
    },
}

/// A change that is on its way: it cannot be taken back.
pub struct Rewired {
    /// How far it has come.
    pub settling: Arc<Settling>,
    /// The stages, in the order of their places.
    pub stages: Vec<Arc<Stage>>,
}

/// Instances of stages that join, by index.
type Seated = BTreeMap<usize, Vec<Opened>>;
/// Queues of stages that begin when others have ended, by the indices of those.
type Successors = BTreeMap<usize, Arc<Queue>>;

// === impl Place ===

impl Place {
    fn instances(&self) -> usize {
        match self {
            Place::Stays { .. } => 0,
            Place::Joins { instances, .. } => instances.len(),
        }
    }

    fn stays(&self) -> Option<&Arc<Stage>> {
        match self {
            Place::Stays { stage, .. } => Some(stage),
            Place::Joins { .. } => None,
        }
    }

    /// Whether what feeds it becomes another.
    fn is_rewired(&self, places: &[Place]) -> bool {
        let Place::Stays { stage, edges, .. } = self else { return true };
        let feeder = |edge: &Edge| places.get(edge.from).and_then(Place::stays).map(|stage| stage.index);
        let old = stage.planned();
        let was = old.inputs.iter().map(|edge| (Some(edge.from), edge.port));
        was.ne(edges.iter().map(|edge| (feeder(edge), edge.port)))
    }
}

// === impl Graph ===

impl Graph {
    /// Why the graph cannot become this one now, if it cannot. Nothing is touched.
    pub fn refusal(&self, places: &[Place]) -> Option<String> {
        let joining = places.iter().filter(|place| place.stays().is_none()).count();
        if self.stages.count() + joining > stage::MOST {
            let (had, most) = (self.stages.count(), stage::MOST);
            return Some(format!("this run has had {had} stages, the most that it may have is {most}; stop it and start it again"));
        }
        self.preparable(places).err()
    }

    /// The stages whose queues go over to the new wiring. Those that have ended, and are fed by none that is new, do not.
    fn preparable(&self, places: &[Place]) -> Result<Vec<Arc<Stage>>, String> {
        let mut preparable = Vec::new();
        for place in places {
            let Some((stage, queue)) = place.stays().and_then(|stage| Some((stage, stage.queue.as_ref()?))) else { continue };
            match queue.preparable() {
                Ok(()) => preparable.push(Arc::clone(stage)),
                Err(Unprepared::Ended) if !place.is_rewired(places) => {}
                Err(why) => return Err(unprepared(stage, why)),
            }
        }
        Ok(preparable)
    }

    /// Prepares the queues, all or none.
    fn prepare(&self, places: &[Place]) -> Result<Vec<Arc<Stage>>, String> {
        let stages = self.preparable(places)?;
        for (at, stage) in stages.iter().enumerate() {
            // What could be prepared a moment ago may have ended since.
            if let Some(Err(why)) = stage.queue.as_ref().map(|queue| queue.prepare()) {
                withdraw(&stages[..at]);
                return Err(unprepared(stage, why));
            }
        }
        Ok(stages)
    }

    /// The graph becomes this one. Refused as a whole, or carried out as a whole.
    pub fn rewire(&self, places: Vec<Place>) -> Result<Rewired, String> {
        let prepared = self.prepare(&places)?;
        if !self.control.enlist(places.iter().map(Place::instances).sum()) {
            withdraw(&prepared);
            return Err("the run is ending".to_owned());
        }
        let (before, settling) = (self.stages.all(), Arc::<Settling>::default());
        let (stages, instances, mut successors) = self.place(places);
        self.tell(&stages, &instances);
        // Held until all is done: a stage that ends meanwhile closes its new edges, too.
        let going: BTreeMap<usize, Arc<Outlets>> =
            stages.iter().filter_map(|stage| Some((stage.index, going(stage, &prepared)?))).collect();
        let mut ways = ways(&stages, &prepared, &instances, &going);
        for (index, instances) in instances {
            if let Some(stage) = stages.iter().find(|stage| stage.index == index) {
                self.occupy(stage, ways.remove(&index).unwrap_or_default(), instances);
            }
        }
        for (index, outlets) in &going {
            outlets.ask(Next::Ways(ways.remove(index).unwrap_or_default(), settling.part()));
        }
        prepared.iter().filter_map(|stage| stage.queue.as_ref()).for_each(|queue| queue.release());
        for removed in before.iter().filter(|stage| !stages.iter().any(|stays| stays.index == stage.index)) {
            self.observer.removed(removed.index);
            if let Some(outlets) = removed.outlets().filter(|_| removed.kind == Kind::Extract) {
                outlets.ask(Next::End);
            }
            removed.remove(settling.part(), successors.remove(&removed.index));
        }
        before.iter().filter(|stage| stage.kind == Kind::Extract).flat_map(|stage| stage.seats()).for_each(|seat| seat.wake());
        self.control.nudge();
        Ok(Rewired { settling, stages })
    }

    /// Makes stages of places: those that join with their instances, and those that wait for the end of another with their queues.
    fn place(&self, places: Vec<Place>) -> (Vec<Arc<Stage>>, Seated, Successors) {
        let mut next = self.stages.count();
        let mut number = |place: &Place| match place {
            Place::Stays { stage, .. } => stage.index,
            Place::Joins { .. } => {
                next += 1;
                next - 1
            }
        };
        let indices: Vec<usize> = places.iter().map(&mut number).collect();
        let by_index = |edges: Vec<Edge>| -> Vec<Edge> {
            edges.into_iter().map(|edge| Edge { from: indices.get(edge.from).copied().unwrap_or(usize::MAX), ..edge }).collect()
        };
        let (mut stages, mut seated, mut successors) = (Vec::with_capacity(places.len()), BTreeMap::new(), BTreeMap::new());
        for place in places {
            stages.push(match place {
                Place::Stays { stage, inputs, edges } => {
                    let (planned, version) = (stage.planned(), stage.version());
                    version.opened_for(inputs.len());
                    stage.runs(Arc::new(planned.rewired(inputs, by_index(edges))), version);
                    stage
                }
                Place::Joins { mut planned, instances, replaces } => {
                    planned.inputs = by_index(std::mem::take(&mut planned.inputs));
                    let stage = self.stages.join(*planned);
                    self.control.joined(stage.queue.as_ref(), &stage.order);
                    seated.insert(stage.index, instances);
                    if let (Some(old), Some(queue)) = (replaces, &stage.queue) {
                        // It is new, and so it can be.
                        let _ = queue.prepare();
                        successors.insert(old.index, Arc::clone(queue));
                    }
                    stage
                }
            });
        }
        self.stages.arrange(indices);
        (stages, seated, successors)
    }

    /// Tells who watches what there is now.
    fn tell(&self, stages: &[Arc<Stage>], joined: &BTreeMap<usize, Vec<Opened>>) {
        for stage in stages {
            let facts = facts::facts(&stage.planned(), self.stages.sources(stage.index));
            let generation = stage.version().generation;
            match joined.contains_key(&stage.index) {
                true => self.observer.version(stage.index, generation, &facts),
                false => self.observer.changed(stage.index, generation, &facts),
            }
        }
    }
}

/// The ways out of a stage that stays and has not ended: those that it will go over from.
fn going(stage: &Arc<Stage>, prepared: &[Arc<Stage>]) -> Option<Arc<Outlets>> {
    let goes_on = stage.kind == Kind::Extract || is_one_of(stage, prepared);
    goes_on.then(|| stage.outlets()).flatten()
}

/// Opens all edges of the new wiring, by where they begin. None begins or ends at a stage that has ended.
fn ways(
    stages: &[Arc<Stage>],
    prepared: &[Arc<Stage>],
    joined: &BTreeMap<usize, Vec<Opened>>,
    going: &BTreeMap<usize, Arc<Outlets>>,
) -> BTreeMap<usize, Vec<Outlet>> {
    let mut ways: BTreeMap<usize, Vec<Outlet>> = BTreeMap::new();
    for stage in stages.iter().filter(|stage| joined.contains_key(&stage.index) || is_one_of(stage, prepared)) {
        let (Some(queue), planned) = (&stage.queue, stage.planned()) else { continue };
        for (input, edge) in planned.inputs.iter().enumerate() {
            if joined.contains_key(&edge.from) || going.contains_key(&edge.from) {
                ways.entry(edge.from).or_default().push(Outlet::open(edge.port, queue, input as u32));
            }
        }
    }
    ways
}

fn is_one_of(stage: &Arc<Stage>, stages: &[Arc<Stage>]) -> bool {
    stages.iter().any(|other| other.index == stage.index)
}

fn withdraw(stages: &[Arc<Stage>]) {
    stages.iter().filter_map(|stage| stage.queue.as_ref()).for_each(|queue| queue.withdraw());
}

fn unprepared(stage: &Stage, why: Unprepared) -> String {
    match why {
        Unprepared::Ended => format!("`{}` has come to its end: nothing more can be sent to it", stage.name),
        Unprepared::Unsettled => {
            format!("the change before has not come to `{}` yet: batches of the wiring before are on their way; try again", stage.name)
        }
        Unprepared::Aborted => "the run is ending".to_owned(),
    }
}
