//! How long does it take, and where?

use super::WINDOW;
use crate::telemetry::{
    dashboards::{
        board::Row,
        panel::Panel,
        promql::{LE, Series, quantile_or_zero, rate, seen, seen_of_stage, sum},
        thresholds::BATCH_P95_SECONDS,
    },
    names::{label, metric},
};

pub fn row() -> Row {
    let call = seen_of_stage(metric::CALL_SECONDS);
    let batch = seen(metric::BATCH_SECONDS);
    let p95 = |histogram: &Series, by: &str| quantile_or_zero(0.95, &[by], histogram, WINDOW);
    let panels = vec![
        quantiles(
            Panel::lines("Batches, end to end", "From the call that brings a batch into being until its last stage lets go of it. Above the dashed line the service level is missed: click a point to see where that batch spent its time."),
            &batch,
            label::SOURCE,
        )
        .red_from(BATCH_P95_SECONDS),
        quantiles(
            Panel::lines("Calls", "Of each stage: guest, copying and imports together. A p99 far above the p95: few batches are very different from the others; click a point to see one."),
            &call,
            label::STAGE,
        ),
        heat(Panel::heatmap("Batches, end to end", "How many batches took how long. Two bands: two kinds of batches, or two paths through the graph."), &batch),
        heat(Panel::heatmap("Calls", "How many calls took how long, over the chosen stages. Choose one stage to see its shape."), &call),
        Panel::lines("Calls by operation (p95)", "95 of 100 calls of extracts, transforms and loads. Tells a slow store (extract, load) from slow work (transform).")
            .unit("s")
            .with_exemplars()
            .query("{{operation}}", p95(&seen(metric::PROCESSING), label::OPERATION)),
        Panel::lines("Waiting and copying (p95)", "How long batches wait in front of a stage, and how long its calls copy. A long wait: that stage is too slow for what feeds it. Much copying: it reads or makes wide columns.")
            .unit("s")
            .query("{{stage}} waits", p95(&seen_of_stage(metric::QUEUE_WAIT), label::STAGE))
            .query("{{stage}} copies", p95(&seen_of_stage(metric::COPY_SECONDS), label::STAGE)),
    ];
    Row { title: "Latency", panels }
}

fn quantiles(panel: Panel, histogram: &Series, by: &str) -> Panel {
    [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)].into_iter().fold(panel.unit("s").with_exemplars(), |panel, (name, share)| {
        panel.query(format!("{{{{{by}}}}} {name}"), quantile_or_zero(share, &[by], histogram, WINDOW))
    })
}

fn heat(panel: Panel, histogram: &Series) -> Panel {
    let buckets = sum(&[LE], rate(&histogram.part("_bucket"), WINDOW));
    panel.unit("s").with_exemplars().query("{{le}}", buckets)
}
