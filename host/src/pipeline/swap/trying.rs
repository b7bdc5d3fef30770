//! Another version of a stage: handed over to its seats, tried, and kept or not.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Asked, Cause, Outcome, Record, Step, SwapSettings, Swaps};
use crate::{
    pipeline::{
        plan::{Opened, PlannedStage},
        run::{Candidate, Change, Phase, Stage, Trial, Version, facts_of, source},
    },
    words::{observe::WorkerFacts, scope, stage::Kind},
};

/// How long a rolled-back or passed trial may take to settle before its record is written without waiting for it: threads
/// that are held up by a full queue settle when it moves.
const SETTLING: Duration = Duration::from_secs(5);

impl Swaps {
    /// Another version of one stage, and what came of it.
    pub(super) fn carry_out(&self, step: Step, asked: &Asked) -> Record {
        let (handed_over, old) = (Instant::now(), step.stage.version());
        let Step { stage, mut planned, .. } = step;
        let (instances, version) = (planned.instances, stage.try_version(&planned));
        let trial = self.put_on_trial(&stage, &mut planned, &version, asked.settings);
        let planned = Arc::new(planned);
        let mut record = match trial {
            Ok(trial) => {
                self.try_out(&stage, &trial);
                let tried = Instant::now();
                self.conclude(&stage, &trial, planned, &version);
                Record::of(&stage, asked, (&old, &version), &trial, (handed_over, tried))
            }
            Err(message) => {
                let refused = Record::refused(&stage.name, asked, (Some(&old), Some(&version)), ("check", message));
                let instances = stage.seats().len();
                Record { instances, ..refused }.with(vec![("hand over", handed_over, Instant::now())])
            }
        };
        if record.outcome.stays() {
            self.resize(&stage, instances, &mut record);
        }
        self.tell(&stage, &record);
        record
    }

    /// The same version in another number of instances, or with another bound of its queue. Where the stage has a record of this change
    /// already, it is told there.
    pub(super) fn size(&self, step: Step, asked: &Asked, records: &mut Vec<Record>) {
        let Step { stage, planned, .. } = step;
        let (now, version) = (stage.planned(), stage.version());
        let sized = PlannedStage { policy: planned.policy.clone(), ..now.sized(planned.instances, planned.queue_bytes) };
        stage.runs(Arc::new(sized), Arc::clone(&version));
        let known = records.iter_mut().find(|record| record.stage == stage.name);
        let new = known.is_none().then(|| Record::new(&stage.name, asked, (Some(&version), Some(&version)), Outcome::Resized));
        match (known, new) {
            (Some(record), _) => self.resize(&stage, planned.instances, record),
            (None, Some(mut record)) => {
                self.resize(&stage, planned.instances, &mut record);
                self.tell(&stage, &record);
                records.push(record);
            }
            (None, None) => {}
        }
    }

    /// Leaves a candidate in the post of every seat.
    fn put_on_trial(
        &self,
        stage: &Arc<Stage>,
        planned: &mut PlannedStage,
        version: &Arc<Version>,
        settings: SwapSettings,
    ) -> Result<Arc<Trial>, String> {
        let (old, seats) = (stage.planned(), stage.seats());
        let settings = if stage.kind == Kind::Transform { settings } else { SwapSettings { shadow: 0, canary: 0.0, ..settings } };
        let remembers = stage.kind == Kind::Transform && stateful(&old)?;
        if remembers && !stateful(planned)? {
            return Err("what the old version remembers would be lost: the new one says that it remembers nothing".to_owned());
        }
        if remembers && settings.canary > 0.0 {
            return Err("a stage that remembers cannot have a canary: each version would know of a part of the batches only".to_owned());
        }
        let facts = facts_of(planned, self.graph.stages.sources(stage.index));
        self.graph.observer.version(stage.index, version.generation, &facts);
        let trial = Arc::new(Trial::new(settings, seats.len()));
        if !stage.put_on_trial(&trial) {
            return Err("the swap before has not settled yet: a thread of the stage is held up".to_owned());
        }
        let mut instances =
            self.instances(planned, seats.len(), remembers).inspect_err(|_| (0..seats.len()).for_each(|_| trial.settle()))?;
        for (number, seat) in seats.iter().enumerate() {
            let facts = WorkerFacts { stage: stage.index, instance: number, generation: version.generation };
            let candidate = Candidate {
                trial: Arc::clone(&trial),
                version: Arc::clone(version),
                calls: self.graph.observer.worker(&facts),
                source: source(planned),
                ready: instances.pop(),
                replay_bytes: planned.queue_bytes,
            };
            if !seat.put(Change::Swap(Box::new(candidate))) {
                trial.settle();
            }
        }
        stage.nudge();
        Ok(trial)
    }

    /// Instances that are open before any seat is asked: none where the seats must open them with the state that they have.
    fn instances(&self, planned: &mut PlannedStage, seats: usize, remembers: bool) -> Result<Vec<Opened>, String> {
        let first = planned.take_opened();
        if remembers {
            // It has shown that the new version opens; what it would remember is to come.
            drop(first);
            return Ok(Vec::new());
        }
        let mut instances: Vec<Opened> = first.into_iter().collect();
        let _scope = scope::within(&self.graph.name, &planned.name);
        while instances.len() < seats {
            instances.push(source(planned).open(None).map_err(|error| format!("another instance cannot be opened: {error}"))?);
        }
        Ok(instances)
    }

    /// Waits for the phases of a trial, each as long as patience lasts.
    fn try_out(&self, stage: &Stage, trial: &Trial) {
        let until = Instant::now() + trial.settings.patience;
        let mut phase = trial.phase();
        loop {
            // Where the stage is idle nobody would notice that a phase has ended.
            stage.nudge();
            if phase.is_last() {
                break;
            }
            let now = trial.wait_beyond(phase, until);
            if now == phase {
                self.withdraw(stage, trial);
                trial.expire();
            }
            phase = trial.phase();
        }
        if !trial.wait_settled(until.min(Instant::now() + SETTLING)) {
            self.withdraw(stage, trial);
            trial.wait_settled(Instant::now() + SETTLING);
        }
    }

    /// Takes back what no seat has taken: it did not come to a batch boundary. If none has, nothing was tried at all.
    fn withdraw(&self, stage: &Stage, trial: &Trial) {
        let mut withdrawn = 0;
        for seat in stage.seats() {
            if let Some(Change::Swap(candidate)) = seat.take() {
                candidate.trial.settle();
                withdrawn += 1;
            }
        }
        if withdrawn > 0 {
            trial.roll_back(Cause::NoBoundary(trial.settings.patience));
        }
    }

    /// The version that stays is from now on what the stage runs; the other goes, with its memory.
    fn conclude(&self, stage: &Stage, trial: &Trial, planned: Arc<PlannedStage>, version: &Arc<Version>) {
        // The run may have ended with the guard: it has seen nothing bad.
        trial.expire();
        if trial.phase() == Phase::Passed {
            stage.runs(planned, Arc::clone(version));
        }
        trial.bury();
    }

    /// As many instances as there shall be: more are opened and seated, others leave at a batch boundary.
    fn resize(&self, stage: &Arc<Stage>, instances: usize, record: &mut Record) {
        let seats = stage.seats();
        for seat in seats.iter().skip(instances.max(1)) {
            seat.put(Change::Leave);
        }
        stage.nudge();
        let planned = stage.planned();
        if let Some(queue) = &stage.queue {
            queue.set_bound(planned.queue_bytes);
        }
        for _ in seats.len()..instances {
            match source(&planned).open(None) {
                Ok(instance) => {
                    self.graph.add_seat(stage, instance);
                }
                Err(error) => record.message = Some(format!("another instance cannot be opened: {error}")),
            }
        }
        record.instances = instances;
    }
}

/// Whether a stage remembers anything.
pub(super) fn stateful(planned: &PlannedStage) -> Result<bool, String> {
    let description = planned.component.description();
    description
        .map(|description| description.stateful)
        .map_err(|error| format!("`{}` does not describe itself: {error}", planned.reference))
}
