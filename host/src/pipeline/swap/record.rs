//! The audit of a change: what was to be changed, who asked, what came of it, how long it took, which batches each version answered for.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;

use super::Asked;
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
    /// The same version works in another number of instances, or behind another queue.
    Resized,
    /// The stage is new.
    Added,
    /// The stage is no part of the pipeline any more.
    Removed,
    /// Another stage of this name is in its place: what it takes or puts out is something else.
    Replaced,
    /// Other stages feed it.
    Rewired,
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
    /// What ran; none where the stage is new.
    pub old: Option<VersionReport>,
    /// What was to run; none where nothing shall, or nothing could be tried.
    pub new: Option<VersionReport>,
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

/// What ran and what was to run, as far as there are any.
pub(super) type Versions<'a> = (Option<&'a Arc<Version>>, Option<&'a Arc<Version>>);

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
    /// Whether what was asked for is how it is now.
    pub fn stays(self) -> bool {
        !matches!(self, Outcome::Refused | Outcome::RolledBack)
    }

    /// As labels and logs name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Swapped => "swapped",
            Outcome::Resized => "resized",
            Outcome::Added => "added",
            Outcome::Removed => "removed",
            Outcome::Replaced => "replaced",
            Outcome::Rewired => "rewired",
            Outcome::Refused => "refused",
            Outcome::RolledBack => "rolled_back",
        }
    }
}

// === impl Record ===

impl Record {
    /// Of a trial that has come to its last word: when it was handed over, and when what was no longer needed began to be dropped.
    pub(super) fn of(
        stage: &Stage,
        asked: &Asked,
        (old, new): (&Arc<Version>, &Arc<Version>),
        trial: &Trial,
        (handed_over, retired): (Instant, Instant),
    ) -> Self {
        let findings = trial.findings();
        let outcome = match (&findings.cause, new.span().batches) {
            (None, _) => Outcome::Swapped,
            (Some(_), 0) => Outcome::Refused,
            (Some(_), _) => Outcome::RolledBack,
        };
        let now = Instant::now();
        let mut tried = tried(&findings, handed_over);
        tried.push(("retire", retired, now));
        Record {
            reason: findings.cause.as_ref().map(|cause| cause.reason()),
            message: findings.cause.as_ref().map(ToString::to_string),
            trial_seconds: (now - handed_over).as_secs_f64(),
            pause_seconds: findings.pauses.iter().max().copied().unwrap_or_default().as_secs_f64(),
            diverged: findings.diverged,
            instances: stage.seats().len(),
            ..Record::new(&stage.name, asked, (Some(old), Some(new)), outcome)
        }
        .with(tried)
    }

    /// Of what could not be tried, with the name of the reason and a sentence.
    pub(super) fn refused(stage: &str, asked: &Asked, versions: Versions<'_>, (reason, why): (&'static str, String)) -> Self {
        Record { reason: Some(reason), message: Some(why), ..Record::new(stage, asked, versions, Outcome::Refused) }
    }

    /// The same, and this was done for it, too.
    pub(super) fn with(mut self, phases: Phases) -> Self {
        self.phases.extend(phases);
        self
    }

    /// Of a change that nothing more is known of.
    pub(super) fn new(stage: &str, asked: &Asked, (old, new): Versions<'_>, outcome: Outcome) -> Self {
        let load: Duration = asked.ready.iter().map(|(_, began, ended)| *ended - *began).sum();
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Record {
            at: began.as_secs_f64(),
            stage: stage.to_owned(),
            trigger: asked.trigger,
            outcome,
            reason: None,
            message: None,
            old: old.map(|old| VersionReport::of(old)),
            new: new.map(|new| VersionReport::of(new)),
            instances: 0,
            load_seconds: load.as_secs_f64(),
            trial_seconds: 0.0,
            pause_seconds: 0.0,
            diverged: 0,
            phases: asked.ready.clone(),
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
