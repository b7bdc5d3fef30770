//! The audit of a change: what was to be changed, who asked, what came of it, how long it took, which batches each version answered for.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;

use crate::pipeline::run::{Findings, Phase, Stage, Trial, Version, VersionReport};

/// Who or what asked for a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// `parshall swap`, or whoever else speaks HTTP to the admin port.
    Http,
    /// A file has changed (`--watch`).
    Watch,
    /// `SIGHUP`.
    Signal,
    /// The program that embeds this one.
    Program,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The new version stays.
    Swapped,
    /// It was never given a batch whose answer counted.
    Refused,
    /// It had taken over, or was given some batches, and the old version is back.
    RolledBack,
}

/// What was done, from when until when, in the order in which it began.
pub type Phases = Vec<(&'static str, Instant, Instant)>;

/// A change of one stage.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// When it was asked for, in seconds since 1970.
    pub at: f64,
    /// The stage.
    pub stage: String,
    /// Who or what asked.
    pub trigger: Trigger,
    /// What came of it.
    pub outcome: Outcome,
    /// Why it did not stay, from a bounded set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The same for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What ran.
    pub old: VersionReport,
    /// What was to run.
    pub new: VersionReport,
    /// Instances side by side.
    pub instances: usize,
    /// Seconds of loading, compiling and opening beside what ran.
    pub load_seconds: f64,
    /// Seconds from handing over to the last word.
    pub trial_seconds: f64,
    /// The longest that any instance's thread was held up by the change itself, in seconds.
    pub pause_seconds: f64,
    /// Batches that were answered otherwise in the shadow phase.
    pub diverged: u64,
    /// When each phase began and ended; in JSON, its name and how long it took.
    #[serde(serialize_with = "lengths")]
    pub phases: Phases,
}

/// What was done for a change on the thread that asked for it.
pub(super) struct Work {
    /// Before the stage was touched: `load` and `check`, once for all stages that change together.
    pub ready: Phases,
    /// When the candidate was handed over to the seats.
    pub handed_over: Instant,
}

// === impl Trigger ===

impl Trigger {
    /// As labels and logs name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Trigger::Http => "http",
            Trigger::Watch => "watch",
            Trigger::Signal => "signal",
            Trigger::Program => "program",
        }
    }
}

// === impl Outcome ===

impl Outcome {
    /// As labels and logs name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Swapped => "swapped",
            Outcome::Refused => "refused",
            Outcome::RolledBack => "rolled_back",
        }
    }
}

// === impl Record ===

impl Record {
    /// Of a trial that has come to its last word.
    pub(super) fn of(
        stage: &Stage,
        trigger: Trigger,
        (old, new): (&Arc<Version>, &Arc<Version>),
        trial: &Trial,
        (work, retired): (Work, Instant),
    ) -> Self {
        let findings = trial.findings();
        let outcome = match (&findings.cause, new.span().batches) {
            (None, _) => Outcome::Swapped,
            (Some(_), 0) => Outcome::Refused,
            (Some(_), _) => Outcome::RolledBack,
        };
        let now = Instant::now();
        let mut tried = tried(&findings, work.handed_over);
        tried.push(("retire", retired, now));
        Record {
            reason: findings.cause.as_ref().map(|cause| cause.reason()),
            message: findings.cause.as_ref().map(ToString::to_string),
            trial_seconds: (now - work.handed_over).as_secs_f64(),
            pause_seconds: findings.pauses.iter().max().copied().unwrap_or_default().as_secs_f64(),
            diverged: findings.diverged,
            ..Record::new(stage, trigger, (old, new), outcome, work.ready)
        }
        .with(tried)
    }

    /// Of a version that could not be tried.
    pub(super) fn refused(stage: &Stage, trigger: Trigger, versions: (&Arc<Version>, &Arc<Version>), why: String, work: Work) -> Self {
        let tried = vec![("hand over", work.handed_over, Instant::now())];
        Record { reason: Some("check"), message: Some(why), ..Record::new(stage, trigger, versions, Outcome::Refused, work.ready) }
            .with(tried)
    }

    /// Of a stage that goes on with the same version, in another number of instances or with another queue.
    pub(super) fn settings(stage: &Stage, trigger: Trigger, version: &Arc<Version>, work: Work) -> Self {
        Record::new(stage, trigger, (version, version), Outcome::Swapped, work.ready)
    }

    fn with(mut self, phases: Phases) -> Self {
        self.phases.extend(phases);
        self
    }

    fn new(stage: &Stage, trigger: Trigger, (old, new): (&Arc<Version>, &Arc<Version>), outcome: Outcome, phases: Phases) -> Self {
        let load: Duration = phases.iter().map(|(_, began, ended)| *ended - *began).sum();
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Record {
            at: began.as_secs_f64(),
            stage: stage.name.clone(),
            trigger,
            outcome,
            reason: None,
            message: None,
            old: VersionReport::of(old),
            new: VersionReport::of(new),
            instances: stage.seats().len(),
            load_seconds: load.as_secs_f64(),
            trial_seconds: 0.0,
            pause_seconds: 0.0,
            diverged: 0,
            phases,
        }
    }
}

/// What a trial went through, from when it was handed over.
fn tried(findings: &Findings, handed_over: Instant) -> Phases {
    let (hands, mut began) = (findings.hands, findings.began.clone());
    let Some(taken) = hands.taken else {
        // No instance came to a batch boundary: nothing was tried.
        let given_up = began.last().map_or(handed_over, |(_, given_up)| *given_up);
        return vec![("hand over", handed_over, given_up)];
    };
    // It was ready to begin before anybody could; and the guard has nothing to look at before the switch.
    if let Some((_, first)) = began.first_mut() {
        *first = taken;
    }
    if let (Some((_, guard)), Some((over, _))) = (began.iter_mut().find(|(phase, _)| *phase == Phase::Guard), hands.over) {
        *guard = over.max(*guard);
    }
    let mut phases = vec![("hand over", handed_over, taken)];
    let moves = [("switch", hands.over), ("switch back", hands.back)];
    phases.extend(moves.into_iter().filter_map(|(name, moved)| moved.map(|(began, ended)| (name, began, ended))));
    let ends = began.iter().skip(1).map(|(_, ended)| *ended);
    phases.extend(began.iter().zip(ends).map(|((phase, began), ended)| (phase.as_str(), *began, ended.max(*began))));
    phases.sort_by_key(|(_, began, _)| *began);
    phases
}

fn lengths<S: serde::Serializer>(phases: &[(&'static str, Instant, Instant)], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Length {
        phase: &'static str,
        seconds: f64,
    }
    let length = |(phase, began, ended): &(&'static str, Instant, Instant)| Length {
        phase,
        seconds: ended.saturating_duration_since(*began).as_secs_f64(),
    };
    serializer.collect_seq(phases.iter().map(length))
}
