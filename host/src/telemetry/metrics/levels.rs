//! How stages stand: asked of the run when somebody gathers, kept when the run is gone. From one look to the next also how busy
//! each stage is, and which of them is the bottleneck.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use super::samples::Samples;
use crate::{
    telemetry::names::metric,
    words::{
        observe::{Probe, StageFacts, StageLevel},
        stage::Kind,
    },
};

/// Utilization is that of the last 15 seconds: as long as Prometheus usually waits between two scrapes.
const WINDOW: Duration = Duration::from_secs(15);
/// Looks that are closer to each other than this, in milliseconds, count as one: so the window holds at most 31.
const APART: Duration = Duration::from_millis(500);

/// The levels of a run's stages.
pub struct Levels {
    probe: Weak<dyn Probe>,
    inside: Mutex<Inside>,
}

struct Inside {
    last: Vec<StageLevel>,
    /// Time in calls by stage, as it was; the oldest first.
    looks: VecDeque<(Instant, Vec<Duration>)>,
    /// The run's start and, when it has ended, its end.
    started: Instant,
    ended: Option<Instant>,
}

/// What was read.
pub struct Reading {
    /// Of each stage.
    pub levels: Vec<StageLevel>,
    /// Of each stage, from 0 to 1.
    pub utilization: Vec<f64>,
}

/// A stage, and whether it is a part of the pipeline.
type Known = (Arc<StageFacts>, bool);

impl Levels {
    /// Of a run that starts now.
    pub fn new(probe: Weak<dyn Probe>) -> Self {
        let started = Instant::now();
        let looks = VecDeque::from([(started, Vec::new())]);
        Levels { probe, inside: Mutex::new(Inside { last: Vec::new(), looks, started, ended: None }) }
    }

    /// Looks. After the end of the run, answers what was there at the end, with the utilization of the whole run.
    pub fn read(&self, stages: &[Known]) -> Reading {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        self.look(&mut inside, stages.len());
        let now = inside.ended.unwrap_or_else(Instant::now);
        let busy: Vec<Duration> = inside.last.iter().map(|level| level.busy).collect();
        let (since, before) = match (inside.ended, inside.looks.front()) {
            (None, Some((since, before))) => (*since, before.clone()),
            _ => (inside.started, Vec::new()),
        };
        let elapsed = now.saturating_duration_since(since).as_secs_f64().max(1e-6);
        let share = |stage: usize| {
            // A stage that came later had done nothing by then.
            let busy = busy[stage].saturating_sub(before.get(stage).copied().unwrap_or_default()).as_secs_f64();
            // A call counts when it ends, so one that is longer than the window would make more than all of it.
            (busy / elapsed / stages[stage].0.instances.max(1) as f64).min(1.0)
        };
        let reading = Reading { levels: inside.last.clone(), utilization: (0..stages.len()).map(share).collect() };
        if inside.looks.back().is_none_or(|(at, _)| now.saturating_duration_since(*at) >= APART) {
            inside.looks.push_back((now, busy));
        }
        // The newest that is older than the window stays, so that there is something to compare with.
        while inside.looks.get(1).is_some_and(|(at, _)| now.saturating_duration_since(*at) >= WINDOW) {
            inside.looks.pop_front();
        }
        reading
    }

    /// The run ends now: the last look at so many stages, while there is something to see. It may be the only one.
    pub fn end(&self, stages: usize) {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        self.look(&mut inside, stages);
        inside.ended.get_or_insert_with(Instant::now);
    }

    fn look(&self, inside: &mut Inside, stages: usize) {
        if inside.last.len() < stages {
            inside.last.resize(stages, StageLevel::default());
        }
        if inside.ended.is_some() {
            return;
        }
        if let Some(probe) = self.probe.upgrade() {
            inside.last.iter_mut().enumerate().for_each(|(stage, level)| *level = probe.stage(stage));
        }
    }
}

impl Reading {
    /// Puts the levels of all stages into samples; of those that were removed only what was counted.
    pub fn sample(&self, stages: &[Known], samples: &mut Samples) {
        let bottleneck = self.bottleneck(stages);
        for (index, (facts, present)) in stages.iter().enumerate() {
            let (stage, level) = (facts.name.as_str(), &self.levels[index]);
            samples.number(metric::BUSY, &[stage], level.busy.as_secs_f64());
            let rows = &level.rows;
            let outcomes = [
                ("kept", rows.kept),
                ("filtered", rows.filtered),
                ("rejected", rows.rejected),
                ("held", rows.held),
                ("failed", rows.failed),
            ];
            outcomes.iter().for_each(|(outcome, rows)| samples.count(metric::ROWS, &[stage, outcome], *rows));
            samples.count(metric::ROWS_ARRIVED, &[stage], rows.arrived);
            if !present {
                continue;
            }
            samples.number(metric::UTILIZATION, &[stage], self.utilization[index]);
            samples.number(metric::BOTTLENECK, &[stage], f64::from(u8::from(Some(index) == bottleneck)));
            samples.count(metric::ROWS_IN_FLIGHT, &[stage], rows.waiting + rows.in_flight);
            samples.number(metric::IMBALANCE, &[stage], rows.imbalance() as f64);
            if facts.kind != Kind::Extract {
                samples.count(metric::QUEUE_BYTES, &[stage], level.queue_bytes);
                samples.count(metric::QUEUE_BATCHES, &[stage], level.queue_batches);
                samples.count(metric::QUEUE_LIMIT, &[stage], facts.queue_bound.unwrap_or_default());
            }
        }
    }

    /// The busiest stage; the first of several that are equally busy.
    fn bottleneck(&self, stages: &[Known]) -> Option<usize> {
        let busier = |best: usize, stage: usize| if self.utilization[stage] > self.utilization[best] { stage } else { best };
        (0..stages.len()).filter(|stage| stages[*stage].1).reduce(busier)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{atomic::AtomicU64, atomic::Ordering::Relaxed},
        thread::sleep,
    };

    use super::*;

    fn stages(instances: [usize; 2]) -> Vec<Known> {
        let stage = |instances| StageFacts {
            name: format!("of {instances}"),
            kind: Kind::Transform,
            component: String::new(),
            version: String::new(),
            digest: String::new(),
            instances,
            sources: Vec::new(),
            columns: Vec::new(),
            datasets: Vec::new(),
            queue_bound: None,
            memory_limit: 0,
        };
        instances.map(|instances| (Arc::new(stage(instances)), true)).into()
    }

    /// Milliseconds that each of two stages has been busy.
    struct Busy([AtomicU64; 2]);

    impl Probe for Busy {
        fn stage(&self, stage: usize) -> StageLevel {
            StageLevel { busy: Duration::from_millis(self.0[stage].load(Relaxed)), queue_batches: 3, ..StageLevel::default() }
        }
    }

    /// Protects against a bottleneck that is one only because it has more instances, and against levels that go with the run.
    #[test]
    fn the_bottleneck_is_the_stage_whose_instances_are_the_busiest() {
        let facts = stages([4, 1]);
        let busy = Arc::new(Busy([AtomicU64::new(0), AtomicU64::new(0)]));
        let probe: Arc<dyn Probe> = Arc::clone(&busy) as _;
        let levels = Levels::new(Arc::downgrade(&probe));
        assert_eq!(levels.read(&facts).bottleneck(&facts), Some(0), "nobody is busy, and still it is exactly one");
        sleep(Duration::from_millis(100));
        busy.0[0].store(120, Relaxed);
        busy.0[1].store(60, Relaxed);
        let reading = levels.read(&facts);
        assert_eq!(reading.bottleneck(&facts), Some(1), "{:?}", reading.utilization);
        let without = [facts[0].clone(), (Arc::clone(&facts[1].0), false)];
        assert_eq!(reading.bottleneck(&without), Some(0), "what was removed holds up nobody");
        assert!(
            (0.05..=0.3).contains(&reading.utilization[0]) && (0.1..=0.6).contains(&reading.utilization[1]),
            "{:?}",
            reading.utilization
        );
        busy.0[0].store(1_000_000, Relaxed);
        assert_eq!(levels.read(&facts).utilization[0], 1.0, "a long call that has just ended is no more than all of it");
        levels.end(2);
        // Nobody has asked these before.
        let unasked = Levels::new(Arc::downgrade(&probe));
        unasked.end(2);
        drop((probe, busy));
        assert_eq!(unasked.read(&facts).levels[1].queue_batches, 3);
        let last = levels.read(&facts);
        assert_eq!((last.levels[1].queue_batches, last.utilization[0]), (3, 1.0), "what was there at the end stays");
    }
}
