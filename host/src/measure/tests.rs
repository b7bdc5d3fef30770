//! Simulated arms: what they cost is known, so what is said of them can be judged. Nothing here reads a clock.

use super::*;

/// A machine that drifts, jitters, and is held up now and then.
struct Machine {
    random: Random,
    turns: u64,
}

impl Machine {
    fn seeded(seed: u64) -> Self {
        Machine { random: Random::seeded(seed), turns: 0 }
    }

    /// What this machine takes for what costs so much.
    fn takes(&mut self, cost: f64) -> f64 {
        self.turns += 1;
        // A slow wave of 10 %, longer than a round.
        let drift = 1.0 + 0.1 * (self.turns as f64 / 90.0).sin();
        // About a normal distribution, of 2 %.
        let normal: f64 = (0..12).map(|_| self.random.unit()).sum::<f64>() - 6.0;
        let held_up = if self.random.below(20) == 0 { 1.0 + self.random.unit() } else { 1.0 };
        cost * drift * (1.0 + 0.02 * normal) * held_up
    }
}

/// Rounds of arms that cost so much.
fn rounds(costs: &[f64], count: usize, seed: u64) -> Rounds {
    let mut machine = Machine::seeded(seed);
    let turn = |arm: usize| Ok::<_, std::convert::Infallible>(machine.takes(costs[arm]));
    Rounds::take(costs.len(), |round| round < count, turn).unwrap_or_else(|never| match never {})
}

/// An arm that is judged by an A/A control beside it.
fn judged(factor: f64, seed: u64) -> (Comparison, f64) {
    let rounds = rounds(&[1e-5, 1e-5, factor * 1e-5], 60, seed);
    let floor = floor(&rounds, 0, 1, seed);
    (Comparison::new(&rounds, 0, 2, floor, seed), floor)
}

/// Protects against noise that is told as a difference: arms that are the same, on two hundred machines.
#[test]
fn two_identical_arms_are_the_same() {
    let different = (0..200).filter(|seed| judged(1.0, *seed).0.verdict != Verdict::Same).count();
    // By its interval alone, one in twenty would be.
    assert!(different <= 4, "{different} of 200 pairs of identical arms were told apart");
}

/// Protects against a control that swallows everything.
#[test]
fn a_known_difference_is_found() {
    for seed in 0..50 {
        let (slower, floor) = judged(1.1, seed);
        assert_eq!(slower.verdict, Verdict::Slower, "{seed}: {:?}, floor {floor}", slower.ratio.interval());
        assert!(slower.ratio.interval().holds(1.1) || (slower.ratio.middle() - 1.1).abs() < 0.02, "{:?}", slower.ratio.interval());
        assert!((slower.difference.middle() - 1e-6).abs() < 0.3e-6, "{:?}", slower.difference.interval());
        assert_eq!(judged(0.9, seed).0.verdict, Verdict::Faster);
    }
}

/// Protects against a difference that is told although the control shows as much between two that are the same.
#[test]
fn no_difference_is_told_below_the_noise_floor() {
    // The control disagrees with itself by 5 %: an arm that is 4 % slower, however surely, is not told.
    let rounds = rounds(&[1.0, 1.05, 1.04], 200, 7);
    let floor = floor(&rounds, 0, 1, 1);
    assert!(floor > 0.045, "{floor}");
    let within = Comparison::new(&rounds, 0, 2, floor, 2);
    assert!(within.ratio.interval().low > 1.0, "the interval alone would tell: {:?}", within.ratio.interval());
    assert_eq!(within.verdict, Verdict::Same);
    assert_eq!(Comparison::new(&rounds, 0, 2, 0.0, 2).verdict, Verdict::Slower);
}

/// Protects against arms that always follow the same neighbour, or are left out.
#[test]
fn every_arm_has_its_turn_and_begins_as_often() {
    let (mut turns, mut first) = (Vec::new(), vec![0; 5]);
    let mut turn = |arm: usize| {
        turns.push(arm);
        Ok::<_, ()>(arm as f64)
    };
    let rounds = Rounds::take(5, |round| round < 20, &mut turn).unwrap();
    assert_eq!(rounds.len(), 20);
    for round in turns.chunks(5) {
        let mut sorted = round.to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3, 4]);
        first[round[0]] += 1;
    }
    assert_eq!(first, [4; 5]);
    let follows = |one, other| turns.windows(2).any(|pair| pair == [one, other]);
    assert!(follows(1, 2) && follows(2, 1), "neighbours follow each other both ways");
}

/// Protects against a failure that is measured.
#[test]
fn the_first_turn_that_fails_ends_it() {
    let mut turns = 0;
    let failed = Rounds::take(
        3,
        |_| true,
        |_| {
            turns += 1;
            if turns == 5 { Err("broken") } else { Ok(1.0) }
        },
    );
    assert_eq!(failed.unwrap_err(), "broken");
}

/// Protects the fit: what a call and a row cost is found again under noise, and lies within what is told.
#[test]
fn a_fit_finds_what_a_call_and_a_row_cost() {
    const SIZES: [usize; 5] = [1, 100, 1_000, 8_192, 65_536];
    let (call, row) = (2e-6, 3e-9);
    let costs: Vec<Estimate> = SIZES
        .iter()
        .zip(0..)
        .map(|(size, stream)| Estimate::median(rounds(&[call + row * *size as f64], 60, stream).arm(0), stream))
        .collect();
    let costs: Vec<&Estimate> = costs.iter().collect();
    let found = fit(&SIZES, &costs, &costs).unwrap();
    let Line { call: told_call, row: told_row } = found.line();
    assert!((told_call.median / call - 1.0).abs() < 0.05 && (told_row.median / row - 1.0).abs() < 0.05, "{told_call:?} {told_row:?}");
    assert!(told_call.low < told_call.high && told_row.low < told_row.high);
    // 20 ns a call beside that: 1 % of 2 µs + 3 ns × rows from 0 rows on; 200 ns from 6,000.
    let part = |call| Fit { call: Estimate::exactly(call), row: Estimate::exactly(0.0) };
    let whole = Fit { call: Estimate::exactly(2e-6), row: Estimate::exactly(3e-9) };
    assert_eq!(part(20e-9).within(&whole, 0.01).middle(), 1.0);
    assert!((part(200e-9).within(&whole, 0.01).middle() - 6_000.0).abs() < 1.0);
    let grows = Fit { call: Estimate::exactly(1e-6), row: Estimate::exactly(1e-9) };
    assert_eq!(grows.within(&whole, 0.01).middle(), f64::INFINITY);
    assert!(fit(&[100, 100], &costs[..2], &costs[..2]).is_none(), "one size is no line");
}

/// Protects against figures that change when nothing did.
#[test]
fn the_same_times_say_the_same() {
    let one = rounds(&[1.0, 1.0], 30, 3);
    let told = |rounds: &Rounds| Estimate::median(rounds.arm(0), 1).interval();
    assert_eq!(told(&one), told(&rounds(&[1.0, 1.0], 30, 3)));
    assert_eq!((median(&mut [3.0, 1.0, 2.0]), median(&mut [4.0, 1.0, 2.0, 3.0])), (2.0, 2.5));
    assert!(median(&mut []).is_nan());
    // Sums are drawn from what they are made of: two that are known to the nanosecond are known to two.
    let known = Estimate::sum([&Estimate::exactly(1.0), &Estimate::exactly(2.0)]);
    assert_eq!(known.interval(), Interval { low: 3.0, median: 3.0, high: 3.0 });
    assert_eq!(Estimate::exactly(1.0).share_of(&Estimate::exactly(4.0)).middle(), 0.25);
}
