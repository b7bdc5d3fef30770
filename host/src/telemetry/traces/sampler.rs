//! Which traces are recorded, decided when they begin: `OTEL_TRACES_SAMPLER`.

use crate::{
    telemetry::otlp::{Environment, WrongVariable},
    words::trace::{SpanContext, TraceId},
};

const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";

/// Decides by the trace's id, and by what came from outside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampler {
    /// Whether the span that the run is part of has a say.
    parent_based: bool,
    share: Share,
}

/// A share of all ids, which are evenly spread: those below a bound. All who use the same bits of an id agree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(u64);

// === impl Sampler ===

impl Sampler {
    /// Everything, unless whoever started the run said otherwise.
    pub const DEFAULT: Sampler = Sampler { parent_based: true, share: Share::ALL };

    /// As the environment says.
    pub fn read(environment: &Environment) -> Result<Self, WrongVariable> {
        let expected = "`always_on`, `always_off`, `traceidratio`, or one of these after `parentbased_`";
        let read = |name: &str| {
            let (parent_based, root) = match name.strip_prefix("parentbased_") {
                Some(root) => (true, root),
                None => (false, name),
            };
            ["always_on", "always_off", "traceidratio"].contains(&root).then(|| (parent_based, root.to_owned()))
        };
        let Some((parent_based, root)) = environment.read(SAMPLER, expected, read)? else {
            return Ok(Sampler::DEFAULT);
        };
        let share = match root.as_str() {
            "always_on" => Share::ALL,
            "always_off" => Share::NONE,
            _ => {
                let ratio = |text: &str| text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
                environment.read(ARGUMENT, "a number from 0 to 1", ratio)?.map_or(Share::ALL, Share::of)
            }
        };
        Ok(Sampler { parent_based, share })
    }

    /// The run's own span: its parent decides, if it has a say.
    pub fn run(&self, trace: TraceId, parent: Option<SpanContext>) -> bool {
        match parent.filter(|_| self.parent_based) {
            Some(parent) => parent.sampled,
            None => self.share.has_low(trace),
        }
    }

    /// A batch's root span begins a trace of its own; a parent of the run can forbid it and no more. Or one sampled request that
    /// starts a run would be billed for every batch of it.
    pub fn batch(&self, trace: TraceId, parent: Option<SpanContext>) -> bool {
        let forbidden = self.parent_based && parent.is_some_and(|parent| !parent.sampled);
        !forbidden && self.share.has_low(trace)
    }
}

// === impl Share ===

impl Share {
    /// Every id.
    pub const ALL: Share = Share(1 << 63);
    /// None.
    pub const NONE: Share = Share(0);

    /// 0 to 1.
    pub fn of(ratio: f64) -> Self {
        Share((ratio.clamp(0.0, 1.0) * (1u64 << 63) as f64) as u64)
    }

    /// By the low half of the id, as the SDK of OpenTelemetry for Rust does it.
    pub fn has_low(self, trace: TraceId) -> bool {
        (trace.0.get() as u64) >> 1 < self.0
    }

    /// By the high half: independent of the above, so that a share of a share is what it says.
    pub fn has_high(self, trace: TraceId) -> bool {
        ((trace.0.get() >> 64) as u64) >> 1 < self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(name: &str, argument: &str) -> Result<Sampler, WrongVariable> {
        Sampler::read(&Environment::of([(SAMPLER, name), (ARGUMENT, argument)]))
    }

    #[test]
    fn what_is_no_sampler_is_an_error() {
        assert_eq!(Sampler::read(&Environment::default()), Ok(Sampler::DEFAULT));
        assert_eq!(sampler("sometimes", "").unwrap_err().variable, SAMPLER);
        assert_eq!(sampler("traceidratio", "2").unwrap_err().variable, ARGUMENT);
        assert_eq!(sampler("traceidratio", "NaN").unwrap_err().variable, ARGUMENT);
    }

    #[test]
    fn a_parent_is_heard_only_by_those_who_listen() {
        let parent = |sampled| Some(SpanContext::root(sampled));
        let trace = TraceId::fresh();
        let listens = sampler("parentbased_always_on", "").unwrap();
        assert!(listens.run(trace, None) && listens.run(trace, parent(true)) && !listens.run(trace, parent(false)));
        assert!(listens.batch(trace, parent(true)) && !listens.batch(trace, parent(false)));
        let deaf = sampler("always_on", "").unwrap();
        assert!(deaf.run(trace, parent(false)) && deaf.batch(trace, parent(false)));
        let never = sampler("parentbased_always_off", "").unwrap();
        assert!(never.run(trace, parent(true)), "the parent decides about the run");
        assert!(!never.batch(trace, parent(true)), "and not about its batches");
    }

    /// Protects against tail rules that keep all or nothing of what the sampler let through.
    #[test]
    fn a_share_of_a_share_is_what_it_says() {
        let (head, tail) = (sampler("traceidratio", "0.25").unwrap(), Share::of(0.5));
        let traces: Vec<_> = (0..40_000).map(|_| TraceId::fresh()).filter(|trace| head.batch(*trace, None)).collect();
        let kept = traces.iter().filter(|trace| tail.has_high(**trace)).count();
        assert!((9_500..10_500).contains(&traces.len()), "{}", traces.len());
        assert!((4_600..5_400).contains(&kept), "{kept}");
        assert!(Share::ALL.has_low(traces[0]) && !Share::NONE.has_low(traces[0]));
    }
}
