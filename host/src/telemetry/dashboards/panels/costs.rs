//! What does it cost: memory, fuel, processor?

use super::WINDOW;
use crate::telemetry::{
    dashboards::{
        board::Row,
        panel::Panel,
        promql::{CPU, INSTANCE, LE, increase, quantile_or_zero, rate, ratio_or_zero, seen, seen_of_stage, sum},
    },
    names::{label, metric},
};

pub fn row() -> Row {
    const STAGE: &[&str] = &[label::STAGE];
    let fuel = rate(&seen_of_stage(metric::FUEL), WINDOW);
    let panels = vec![
        Panel::lines("Process", "Resident memory of each process: host, batches and guests. Steady while it runs is right, however much flows.")
            .unit("bytes")
            .query("{{instance}}", sum(&[INSTANCE], seen(metric::MEMORY))),
        Panel::lines("Guest memory", "Linear memory of each stage's instances, and the limit. It never shrinks. Near the limit: raise it in the pipeline file, or find what the stage holds on to.")
            .unit("bytes")
            .query("{{stage}}", sum(STAGE, seen_of_stage(metric::GUEST_MEMORY)))
            .query("{{stage}} limit", sum(STAGE, seen_of_stage(metric::GUEST_MEMORY_LIMIT))),
        Panel::lines("Fuel per row", "About one unit an executed WebAssembly instruction. The same data and a higher line after a swap: the new version is dearer.")
            .query("{{stage}}", ratio_or_zero(STAGE, &fuel, rate(&seen_of_stage(metric::ROWS_PROCESSED), WINDOW))),
        Panel::lines("Fuel of a call (p95)", "95 of 100 calls use at most this much. Near the limit of a call, the next larger batch fails: raise the limit or make batches smaller.")
            .query("{{stage}}", quantile_or_zero(0.95, STAGE, &seen_of_stage(metric::CALL_FUEL), WINDOW)),
        Panel::lines("Growth of guest memory", "Linear memory that guests asked for. Growth that does not end is a leak, or a state that grows with the data.")
            .unit("bytes")
            .query("{{stage}}", sum(STAGE, increase(&seen_of_stage(metric::MEMORY_GROWTH), WINDOW))),
        Panel::heatmap("Guest memory after calls", "How many calls left an instance with how much memory. A band that moves up is a leak.")
            .unit("bytes")
            .query("{{le}}", sum(&[LE], rate(&seen_of_stage(metric::CALL_MEMORY).part("_bucket"), WINDOW))),
        Panel::lines("Processor", "Cores that each process keeps busy. Below the number of cores with a full queue: the bottleneck waits for something outside, or needs more instances.")
            .query("{{instance}}", sum(&[INSTANCE], rate(&seen(CPU), WINDOW))),
        Panel::lines("Fuel", "Units a second that each stage uses: where the processor's time goes among guests.")
            .stacked()
            .query("{{stage}}", sum(STAGE, fuel)),
    ];
    Row { title: "Costs", panels }
}
