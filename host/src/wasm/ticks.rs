//! A counter that is cheap to look at: the processor's own, where it runs evenly, costs a third of what the system's clock does. What a
//! tick is worth is told by whoever looks at both for a while.

use std::sync::LazyLock;

/// Ticks since some moment of the past.
#[cfg(target_arch = "x86_64")]
#[inline]
pub fn now() -> u64 {
    if *EVEN {
        // SAFETY: every x86_64 processor has the instruction; where the system forbids it to programs, which no system does that
        // offers it as a clock, the program would end.
        unsafe { core::arch::x86_64::_rdtsc() }
    } else {
        nanoseconds()
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub fn now() -> u64 {
    nanoseconds()
}

/// Whether the counter runs at one speed, whatever the processor does: bit 8 of EDX in leaf 8000_0007 (AMD64 Architecture Programmer's
/// Manual 3, "Processor Feature Identification"; Intel's manual 2, CPUID).
#[cfg(target_arch = "x86_64")]
static EVEN: LazyLock<bool> = LazyLock::new(|| {
    use core::arch::x86_64::__cpuid;
    const LEAF: u32 = 0x8000_0007;
    __cpuid(0x8000_0000).eax >= LEAF && __cpuid(LEAF).edx & 1 << 8 != 0
});

fn nanoseconds() -> u64 {
    static BEGINNING: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);
    BEGINNING.elapsed().as_nanos() as u64
}

#[cfg(test)]
mod tests {
    use std::{
        hint::black_box,
        time::{Duration, Instant},
    };

    use super::*;

    /// Protects against a counter that does not run as time does: shares of a call would be shares of nothing.
    #[test]
    fn ticks_run_as_time_does() {
        let rate = |time: Duration| {
            let (started, from) = (Instant::now(), now());
            while started.elapsed() < time {
                black_box(());
            }
            (now() - from) as f64 / started.elapsed().as_secs_f64()
        };
        // Whoever takes the processor away between two looks makes a rate wrong, and not every time.
        let same = || (rate(Duration::from_millis(2)) / rate(Duration::from_millis(20)) - 1.0).abs() < 0.05;
        assert!((0..50).any(|_| same()), "{} ticks a second", rate(Duration::from_millis(100)));
        assert!(nanoseconds() <= nanoseconds());
    }
}
