//! What changed, and when?

use super::WINDOW;
use crate::telemetry::{
    dashboards::{
        board::Row,
        panel::Panel,
        promql::{INSTANCE, happened, increase, max, rate, seen, seen_of_stage, sum},
    },
    names::{label, metric},
};

pub fn row() -> Row {
    const STAGE: &[&str] = &[label::STAGE];
    let age = |name| format!("time() - {}", max(&[], seen(name)));
    let ended = |outcome| sum(&[], happened(&seen(metric::RUNS).is(label::OUTCOME, outcome), "$__range"));
    let swaps = |outcome| sum(&[], happened(&seen_of_stage(metric::SWAPS).is(label::OUTCOME, outcome), "$__range"));
    let panels = vec![
        Panel::stat("Since the last good run", "Since a run last completed, as it was pushed or scraped; nothing if none has. Much longer than runs are apart: see why the last one failed.")
            .unit("s")
            .query("ago", age(metric::LAST_SUCCESS)),
        Panel::stat("Since the pipeline was loaded", "Since a pipeline file was last loaded well. Longer ago than you changed it: the change is not in force.")
            .unit("s")
            .query("ago", age(metric::PIPELINE_LOADED)),
        Panel::stat("Runs that completed", "Within the chosen time.").query("completed", ended("completed")),
        Panel::stat("Runs that failed", "Within the chosen time. Any: the log and the run report name the stage and the reason.")
            .red_from(1.0)
            .query("failed", ended("failed")),
        Panel::stat("Swaps", "Components that were replaced while data flowed, within the chosen time.").query("swapped", swaps("swapped")),
        Panel::stat("Swaps that failed", "Within the chosen time; the old component went on. Any: the log says what did not fit.")
            .red_from(1.0)
            .query("failed", swaps("failed")),
        Panel::lines("Generation", "The version that each stage runs: every one that was tried has its own number. A step is a swap: compare what lies before it with what lies after it.")
            .query("{{stage}}", max(STAGE, seen_of_stage(metric::GENERATION))),
        Panel::lines("Restarts of instances", "Instances that were opened in place of others, by why. `recycle`: its memory had grown beyond the threshold. Anything else again and again: the stage fails on something that comes back.")
            .query("{{stage}} {{reason}}", sum(&[INSTANCE, label::STAGE, label::REASON], increase(&seen_of_stage(metric::RESTARTS), WINDOW))),
        Panel::stat("Since the last checkpoint", "Whoever goes on after a crash begins there; nothing where the pipeline takes none. Longer than `checkpoint` of the pipeline file: rows do not get through, or none come.")
            .unit("s")
            .query("ago", age(metric::LAST_CHECKPOINT)),
        Panel::stat("Remembered", "Bytes of positions and states in the last checkpoint.").unit("bytes").query("bytes", max(&[], seen(metric::CHECKPOINT_BYTES))),
        Panel::lines("Time in checkpoints", "Share of the time that extracts are held, by what for. `drain` is the graph that runs empty; `prepare` and `settle` are the targets.")
            .unit("percentunit")
            .stacked()
            .query("{{phase}}", sum(&[label::PHASE], rate(&seen(metric::CHECKPOINT_PHASE_SECONDS), WINDOW))),
        Panel::lines("Checkpoints", "Taken, and failed: one that fails ends the run.")
            .query("{{outcome}}", sum(&[label::OUTCOME], increase(&seen(metric::CHECKPOINTS), WINDOW))),
        Panel::table("Stages", "What each stage is: its kind, its component and what that calls its version.").query(
            "",
            max(&[INSTANCE, label::STAGE, label::KIND, label::COMPONENT, label::VERSION], seen_of_stage(metric::STAGE_INFO)),
        ),
        Panel::table("Pipelines", "Which instance runs which pipeline.")
            .width(6)
            .query("", max(&[INSTANCE, label::PIPELINE], seen(metric::PIPELINE_INFO))),
        Panel::table("Builds", "Which instance is which version of Parshall.")
            .width(6)
            .query("", max(&[INSTANCE, label::VERSION], seen(metric::BUILD_INFO))),
    ];
    Row { title: "Swaps, restarts and runs", panels }
}
