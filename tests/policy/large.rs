//! Poison rows in as many rows as left New York by air in 2013, and what it costs to find them.

use super::{pipeline, poison, run};

const ROWS: i64 = 336_776;

/// Protects a large run: exactly the rows at fault are dead letters, all others are loaded in order, and the cost is told and bounded.
/// `--nocapture` shows it.
#[test]
fn poison_is_found_in_336_776_rows() {
    for (component, misbehave, every) in
        [("stamp", "trap", 16_838), ("stamp", "data", 16_838), ("stamp", "trap", 1_000), ("running", "trap", 16_838)]
    {
        let stage = format!(
            "component = \"@{component}\"\nconfig = {{ misbehave = \"{misbehave}\", every = {every}, at = 5 }}\non_error = \"dead-letter\"\n"
        );
        let ended = run(&pipeline(ROWS as u64, 8_192, &stage));
        ended.assert_completed();
        ended.assert_balanced();
        let poison = poison(ROWS, every, 5);
        assert_eq!(ended.letters().into_keys().collect::<Vec<_>>(), poison);
        assert!(ended.rows.iter().copied().eq((0..ROWS).filter(|number| number % every != 5)), "all others, once, in order");
        let stage = ended.stage("stage");
        let (calls, failures) = (&stage.calls, &stage.failures);
        assert_eq!((failures.dead_lettered, stage.rows.failed, failures.retries), (poison.len() as u64, poison.len() as u64, 0));
        // In each batch: twice the rows at fault, times the halvings that tell them apart.
        let bound: f64 = (0..ROWS)
            .step_by(8_192)
            .map(|first| {
                let rows = 8_192.min(ROWS - first) as f64;
                let at_fault = poison.iter().filter(|row| (first..first + 8_192).contains(*row)).count() as f64;
                if at_fault == 0.0 { 0.0 } else { 2.0 * at_fault * (1.0 + (rows / at_fault).log2().ceil()) }
            })
            .sum();
        assert!(failures.bisections as f64 <= bound, "{} calls, bound {bound}", failures.bisections);
        let all = calls.guest_seconds + calls.copy_seconds + calls.host_seconds;
        println!(
            "{component}, {misbehave}: {} of {ROWS} rows at fault in {} batches; {} calls more (at most {bound}) beside {}, {:.1} ms, {:.0} % of \
             the stage's time in calls; {} instances opened; the run took {:.0} ms",
            poison.len(),
            stage.batches_in,
            failures.bisections,
            stage.batches_in,
            failures.seconds * 1e3,
            100.0 * failures.seconds / all,
            failures.restarts.values().sum::<u64>(),
            ended.report.seconds * 1e3,
        );
    }
}
