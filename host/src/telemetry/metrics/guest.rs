//! What guests count and observe themselves. A guest chooses the names, so their number and their form are bounded here, for each
//! stage, whatever the guest does.

use std::collections::BTreeMap;

use super::{samples::Samples, scale::DECADES};
use crate::{telemetry::names::metric, words::usage::Usage};

/// Names of counters that a stage may have; the rest is dropped and counted. As many as the run report keeps.
pub const MAX_COUNTERS: usize = 64;
/// Names of histograms that a stage may have; each is 18 series.
pub const MAX_OBSERVATIONS: usize = 16;
/// Characters of a name.
pub const MAX_NAME: usize = 64;

/// The metrics of one stage's own.
#[derive(Clone, Debug, Default)]
pub struct GuestMetrics {
    counters: BTreeMap<String, u64>,
    observations: BTreeMap<String, Observations>,
    dropped: u64,
}

#[derive(Clone, Debug, Default)]
struct Observations {
    buckets: [u64; DECADES.len() + 1],
    sum: f64,
}

impl GuestMetrics {
    /// Adds what a call counted and observed.
    pub fn add(&mut self, usage: &Usage) {
        self.dropped += usage.dropped;
        for (name, by) in &usage.said.counters {
            match entry(&mut self.counters, name, MAX_COUNTERS) {
                Some(count) => *count = count.saturating_add(*by),
                None => self.dropped += 1,
            }
        }
        for (name, value) in &usage.said.observations {
            // One value that is no number would make the sum useless for good, and one below 0 would let it fall.
            let sound = value.is_finite() && *value >= 0.0;
            match sound.then(|| entry(&mut self.observations, name, MAX_OBSERVATIONS)).flatten() {
                Some(observations) => {
                    observations.buckets[DECADES.partition_point(|bound| bound < value)] += 1;
                    observations.sum += value;
                }
                None => self.dropped += 1,
            }
        }
    }

    /// Puts all into samples.
    pub fn read(&self, stage: &str, samples: &mut Samples) {
        for (name, count) in &self.counters {
            samples.count(metric::GUEST_COUNT, &[stage, name], *count);
        }
        for (name, observations) in &self.observations {
            samples.histogram_of(metric::GUEST_OBSERVATION, &[stage, name], &DECADES, &observations.buckets, observations.sum);
        }
        samples.count(metric::GUEST_DROPPED, &[stage], self.dropped);
    }
}

fn entry<'a, T: Default>(map: &'a mut BTreeMap<String, T>, name: &str, most: usize) -> Option<&'a mut T> {
    let plain = |character: char| character.is_ascii_alphanumeric() || "_.:/-".contains(character);
    // Most names are what they should be, and known.
    if name.len() <= MAX_NAME && name.chars().all(plain) {
        if !map.contains_key(name) {
            if map.len() >= most {
                return None;
            }
            map.insert(name.to_owned(), T::default());
        }
        return map.get_mut(name);
    }
    let sound: String = name.chars().take(MAX_NAME).map(|character| if plain(character) { character } else { '_' }).collect();
    (map.len() < most || map.contains_key(&sound)).then(|| map.entry(sound).or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::usage::Said;

    /// Protects every backend from a guest that invents names without end.
    #[test]
    fn names_and_their_number_are_bounded_and_what_is_dropped_is_counted() {
        let mut guest = GuestMetrics::default();
        let counters = (0..10_000).map(|n| (format!("counter {n}\n"), 1)).collect();
        let observations = vec![("nan".into(), f64::NAN), ("below".into(), -1.0), ("fine".into(), 0.5)];
        let said = |counters, observations| Said { counters, observations, ..Said::default() }.into();
        guest.add(&Usage { said: said(counters, observations), dropped: 3, ..Usage::default() });
        assert_eq!((guest.counters.len(), guest.observations.len()), (MAX_COUNTERS, 1));
        assert_eq!(guest.dropped, 3 + 10_000 - MAX_COUNTERS as u64 + 2);
        assert!(guest.counters.keys().all(|name| name.starts_with("counter_") && name.ends_with('_')));
        let counters = vec![("counter 7\n".into(), 5), ("ä".repeat(500), 1)];
        guest.add(&Usage { said: said(counters, Vec::new()), ..Usage::default() });
        assert_eq!(guest.counters["counter_7_"], 6, "a known name counts on");
        assert!(guest.counters.keys().all(|name| name.len() <= MAX_NAME));
    }
}
