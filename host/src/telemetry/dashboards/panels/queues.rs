//! What waits for what?

use super::WINDOW;
use crate::telemetry::{
    dashboards::{
        board::Row,
        panel::Panel,
        promql::{max, rate, ratio, seen, seen_of_stage, sum},
        thresholds::{BUSY_RATIO, QUEUE_RATIO},
    },
    names::{label, metric},
};

pub fn row() -> Row {
    const STAGE: &[&str] = &[label::STAGE];
    let (bytes, bound) = (seen_of_stage(metric::QUEUE_BYTES), seen_of_stage(metric::QUEUE_LIMIT));
    let panels = vec![
        Panel::lines("Queues, of their bounds", "How full the queue in front of each stage is. At the dashed line what feeds it waits: that stage, or one behind it, is the bottleneck.")
            .unit("percentunit")
            .up_to(1.0)
            .red_from(QUEUE_RATIO)
            .query("{{stage}}", ratio(STAGE, bytes, bound)),
        Panel::lines("Batches that wait", "In front of each stage. Few and large, or many and small: with the panel beside it, this tells the size of batches.")
            .query("{{stage}}", sum(STAGE, seen_of_stage(metric::QUEUE_BATCHES))),
        Panel::lines("Utilization", "Share of the time that the instances of a stage are in calls, over the last seconds. Near 1 is the bottleneck: more instances of it, or less work in it, make the pipeline faster.")
            .unit("percentunit")
            .up_to(1.0)
            .red_from(BUSY_RATIO)
            .query("{{stage}}", max(STAGE, seen_of_stage(metric::UTILIZATION))),
        Panel::states("Bottleneck", "Which stage all others waited for, and when. If it moves with the data, look at what changes in the data.")
            .query("{{stage}}", max(STAGE, seen_of_stage(metric::BOTTLENECK))),
        Panel::lines("Threads in calls", "Seconds a second in calls, over all instances of a stage: how many cores it keeps busy.")
            .stacked()
            .query("{{stage}}", sum(STAGE, rate(&seen_of_stage(metric::BUSY), WINDOW))),
        Panel::lines("Source lag", "Time since each extract last yielded a batch; 0 after its end. Rises without end: its store is silent, or the queue behind it is full.")
            .unit("s")
            .query("{{source}}", max(&[label::SOURCE], seen(metric::SOURCE_LAG))),
    ];
    Row { title: "Queues and bottleneck", panels }
}
