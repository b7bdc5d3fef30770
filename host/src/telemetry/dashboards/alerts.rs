//! The alerts: when somebody should look, and what to do then.

use super::{
    JOB as PARSHALL,
    alert::{
        Alert, Fired,
        Severity::{Critical, Warning},
        Trial,
    },
    promql::{INSTANCE, JOB, LE, UP, increase, series},
    recording,
    thresholds::{
        self, BATCH_P95_SECONDS, CHECKPOINT_RATIO, CHECKPOINTS_LATE, EVENT_WINDOW, FOR_EVENTS, FOR_LATENCY, FOR_LEVELS, FOR_QUEUES,
        FOR_RATES, FOR_TARGETS, IMBALANCE_ROWS, NO_SUCCESS_SECONDS, SOURCE_LAG_SECONDS, WINDOW,
    },
};
use crate::telemetry::names::{label, metric};

/// All of them, the most urgent first.
pub fn all() -> Vec<Alert> {
    vec![
        target_down(),
        run_failed(),
        ledger_imbalance(),
        error_rate(),
        checkpoints_late(),
        checkpoints_slow(),
        swap_failed(),
        batch_latency(),
        no_success(),
        source_stalled(),
        queue_full(),
        guest_memory(),
        telemetry_dropped(),
    ]
}

// === What trials are made of ===

const AT: &str = "host:8000";
const OF_TARGET: &[(&str, &str)] = &[(JOB, PARSHALL), (INSTANCE, AT)];
const OF_STAGE: &[(&str, &str)] = &[(JOB, PARSHALL), (INSTANCE, AT), (label::STAGE, "clean")];
const OF_SOURCE: &[(&str, &str)] = &[(JOB, PARSHALL), (INSTANCE, AT), (label::SOURCE, "orders")];

fn fires(name: &'static str, at: &'static str, seen: Vec<(String, &'static str)>, fired: Fired) -> Trial {
    Trial { name, seen, at, fires: Some(fired) }
}

fn quiet(name: &'static str, at: &'static str, seen: Vec<(String, &'static str)>) -> Trial {
    Trial { name, seen, at, fires: None }
}

/// One series of a metric of the target that trials are about.
fn one(name: &str, labels: &[(&str, &str)]) -> String {
    let all = OF_TARGET.iter().chain(labels);
    all.fold(series(name), |series, (label, value)| series.is(label, value)).to_string()
}

// === The alerts ===

fn target_down() -> Alert {
    let up = |job: &str| series(UP).is(JOB, job).is(INSTANCE, AT).to_string();
    Alert {
        name: "ParshallTargetDown",
        expression: format!("{} == 0", series(UP).is(JOB, PARSHALL)),
        wait: FOR_TARGETS,
        severity: Critical,
        summary: "Parshall at {{ $labels.instance }} does not answer",
        description: format!("Prometheus has not been able to scrape {{{{ $labels.instance }}}} for {FOR_TARGETS}."),
        runbook: "See whether the process runs (its service, `ps`), and read the end of its log. If it runs, ask it yourself: `curl \
                  HOST:PORT/metrics`; what refuses the connection listens elsewhere (`--metrics-addr`). A pipeline that ends by design \
                  is no target: let it push to a Pushgateway.",
        trials: vec![
            fires("it is gone", "5m", vec![(up(PARSHALL), "1 1 0+0x10")], Fired { labels: OF_TARGET, value: "" }),
            quiet("one scrape failed", "3m", vec![(up(PARSHALL), "1 1 1 0 1+0x10")]),
            quiet("something else is gone", "5m", vec![(up("node"), "0+0x10")]),
        ],
    }
}

fn run_failed() -> Alert {
    let runs = |outcome| series(metric::RUNS).is(label::OUTCOME, outcome);
    let ended = |outcome| one(metric::RUNS, &[(label::OUTCOME, outcome)]);
    let pushed = |outcome| one(metric::RUNS, &[(label::PIPELINE, "nightly"), (label::OUTCOME, outcome)]);
    let hourly = one(metric::RUNS, &[(label::PIPELINE, "hourly"), (label::OUTCOME, "completed")]);
    let failed = Fired { labels: &[(JOB, PARSHALL), (INSTANCE, AT), (label::OUTCOME, "failed")], value: "" };
    let failed_nightly =
        Fired { labels: &[(JOB, PARSHALL), (INSTANCE, AT), (label::PIPELINE, "nightly"), (label::OUTCOME, "failed")], value: "" };
    Alert {
        name: "ParshallRunFailed",
        // What a process that has ended has pushed does not grow: there, a failure stands until a run that went well replaces it.
        expression: format!(
            "{} > 0 or ({} > 0 unless ignoring ({}) {} > 0)",
            increase(&runs("failed"), EVENT_WINDOW),
            runs("failed"),
            label::OUTCOME,
            runs("completed")
        ),
        wait: FOR_EVENTS,
        severity: Critical,
        // Only what was pushed has the pipeline as a label.
        summary: "A run failed at {{ $labels.instance }} {{ $labels.pipeline }}",
        description:
            "A run of {{ $labels.job }} at {{ $labels.instance }} {{ $labels.pipeline }} failed. Its loads have committed nothing, \
                      unless what failed was a commit."
                .to_owned(),
        runbook: "Read the end of its log or its run report: it names the stage, the batch and whose fault it was (guest, host, pipeline, \
                  data or outside). For a guest's fault, run the stage on that batch alone; for one from outside, repair the source or \
                  target. Then run again: nothing was committed in part.",
        trials: vec![
            fires(
                "what a run pushed, beside another that went well",
                "10m",
                vec![(pushed("failed"), "1+0x20"), (pushed("completed"), "0+0x20"), (hourly, "1+0x20")],
                failed_nightly,
            ),
            fires("one of many", "10m", vec![(ended("failed"), "0 0 0 1+0x20"), (ended("completed"), "5+0x20")], failed),
            quiet("they go well", "10m", vec![(ended("failed"), "0+0x20"), (ended("completed"), "0+1x20")]),
            quiet("it failed long ago", "40m", vec![(ended("failed"), "0 0 1+0x40"), (ended("completed"), "5+0x40")]),
            quiet("the next push went well", "10m", vec![(pushed("failed"), "1 1 0+0x20"), (pushed("completed"), "0 0 1+0x20")]),
        ],
    }
}

fn ledger_imbalance() -> Alert {
    let rows = || one(metric::IMBALANCE, &[(label::STAGE, "clean")]);
    Alert {
        name: "ParshallLedgerImbalance",
        expression: format!("{} != {IMBALANCE_ROWS}", series(metric::IMBALANCE)),
        wait: FOR_LEVELS,
        severity: Critical,
        summary: "Rows of stage {{ $labels.stage }} are unaccounted for",
        description: "{{ $value }} rows arrived at stage {{ $labels.stage }} at {{ $labels.instance }} and were neither kept, filtered, \
                      rejected, held nor failed, nor are they in flight. Negative: more are accounted for than arrived."
            .to_owned(),
        runbook: "This is a bug of Parshall, not of a stage. Do not trust the output of this run: stop it with Ctrl-C twice, which commits \
                  nothing. Keep the run report and the pipeline file, and report both.",
        trials: vec![
            fires("rows are missing", "10m", vec![(rows(), "0 0 3+0x20")], Fired { labels: OF_STAGE, value: "3" }),
            fires("there are too many", "10m", vec![(rows(), "0 0 -2+0x20")], Fired { labels: OF_STAGE, value: "-2" }),
            quiet("a scrape in the middle of a change", "9m", vec![(rows(), "0 0 0 0 0 0 0 0 0 8192 0")]),
        ],
    }
}

fn error_rate() -> Alert {
    let calls = |outcome| one(metric::CALLS, &[(label::STAGE, "clean"), (label::OUTCOME, outcome)]);
    Alert {
        name: "ParshallErrorRate",
        expression: format!("{} > {}", recording::ERROR_RATIO, thresholds::ERROR_RATIO),
        wait: FOR_RATES,
        severity: Critical,
        summary: "Calls of stage {{ $labels.stage }} fail",
        description: format!(
            "{{{{ $value | humanizePercentage }}}} of the calls of stage {{{{ $labels.stage }}}} at {{{{ $labels.instance }}}} failed over the last \
             {WINDOW}."
        ),
        runbook: "See why on the dashboard (errors by type). A trap or an exceeded limit is the stage's: give it more fuel, memory or time \
                  in the pipeline file if it deserves it, or swap it back to its last version. `data` and `schema` are about what it is \
                  fed, `unavailable` is about the store it talks to.",
        trials: vec![
            fires(
                "21 in 2,000",
                "10m",
                vec![(calls("error"), "0+21x20"), (calls("ok"), "0+1979x20")],
                Fired { labels: OF_STAGE, value: "1.05%" },
            ),
            quiet("9 in 1,000", "10m", vec![(calls("error"), "0+9x20"), (calls("ok"), "0+991x20")]),
            quiet("for some minutes", "4m", vec![(calls("error"), "0+1x20"), (calls("ok"), "0+9x20")]),
            quiet("nothing is called", "10m", vec![(calls("error"), "0+0x20"), (calls("ok"), "7+0x20")]),
        ],
    }
}

fn checkpoints_late() -> Alert {
    let seen = |last, rows| {
        let flight = one(metric::ROWS_IN_FLIGHT, &[(label::STAGE, "clean")]);
        vec![(one(metric::LAST_CHECKPOINT, &[]), last), (one(metric::CHECKPOINT_INTERVAL, &[]), "30+0x60"), (flight, rows)]
    };
    Alert {
        name: "ParshallCheckpointsLate",
        expression: format!(
            "time() - {} > {CHECKPOINTS_LATE} * {} and on ({JOB}, {INSTANCE}) sum by ({JOB}, {INSTANCE}) ({}) > 0",
            metric::LAST_CHECKPOINT,
            metric::CHECKPOINT_INTERVAL,
            metric::ROWS_IN_FLIGHT
        ),
        wait: FOR_LEVELS,
        severity: Warning,
        summary: "No checkpoint for long at {{ $labels.instance }}",
        description: format!(
            "Rows are in flight at {{{{ $labels.instance }}}}, and the last checkpoint was settled {{{{ $value | humanizeDuration }}}} ago, more \
             than {CHECKPOINTS_LATE} times what the pipeline file asks for. Who goes on after a crash begins there."
        ),
        runbook: "A checkpoint waits until nothing is in flight: look for the stage that does not work its queue off (a sink that is stalled, a \
                  retry that is waited for), and for a swap that is on trial, which checkpoints wait for. What is loaded meanwhile becomes \
                  visible with the next one.",
        trials: vec![
            fires("a sink is stalled", "20m", seen("0+60x5 300+0x60", "900+0x60"), Fired { labels: OF_TARGET, value: "15m 0s" }),
            quiet("nothing comes", "20m", seen("0+60x5 300+0x60", "0+0x60")),
            quiet("they are taken", "20m", seen("0+60x60", "900+0x60")),
        ],
    }
}

fn checkpoints_slow() -> Alert {
    let held = |values| vec![(one(&(metric::CHECKPOINT_SECONDS.to_owned() + "_sum"), &[]), values)];
    Alert {
        name: "ParshallCheckpointsSlow",
        expression: format!("rate({}_sum[{WINDOW}]) > {CHECKPOINT_RATIO}", metric::CHECKPOINT_SECONDS),
        wait: FOR_LATENCY,
        severity: Warning,
        summary: "Checkpoints hold {{ $labels.instance }} up",
        description: "{{ $value | humanizePercentage }} of the time at {{ $labels.instance }} extracts are held for checkpoints."
            .to_owned(),
        runbook: "See on the dashboard what the time is spent on. `drain`: the graph runs empty each time, which takes as long as its slowest stage \
                  needs for what is queued; a smaller `queue` or fewer checkpoints help. `prepare` and `settle`: the targets are slow. `states`, \
                  `decide`: stages remember much. A longer `checkpoint` in `[delivery]` always helps, and costs as much to be done again after a \
                  crash.",
        trials: vec![
            fires("12 s a minute", "20m", held("0+12x60"), Fired { labels: OF_TARGET, value: "20%" }),
            quiet("3 s a minute", "20m", held("0+3x60")),
            quiet("for some minutes", "9m", held("0+12x60")),
        ],
    }
}

fn swap_failed() -> Alert {
    let swaps = |outcome| one(metric::SWAPS, &[(label::STAGE, "clean"), (label::OUTCOME, outcome)]);
    let fired = Fired { labels: &[(JOB, PARSHALL), (INSTANCE, AT), (label::STAGE, "clean"), (label::OUTCOME, "failed")], value: "" };
    Alert {
        name: "ParshallSwapFailed",
        expression: format!("{} > 0", increase(&series(metric::SWAPS).is(label::OUTCOME, "failed"), EVENT_WINDOW)),
        wait: FOR_EVENTS,
        severity: Warning,
        summary: "Stage {{ $labels.stage }} was not swapped",
        description:
            "A new component for stage {{ $labels.stage }} at {{ $labels.instance }} was refused or taken back; the old one goes on."
                .to_owned(),
        runbook: "Data flows as before: there is no hurry. Read the log for the reason (schemas that do not fit, a grant that is missing, a \
                  state that could not be restored, a trap), try the component with `parshall check` and `parshall inspect`, and swap \
                  again.",
        trials: vec![
            fires("one failed", "10m", vec![(swaps("failed"), "0 0 0 1+0x20"), (swaps("swapped"), "0+0x20")], fired),
            quiet("they go well", "20m", vec![(swaps("failed"), "0+0x20"), (swaps("swapped"), "0+1x20")]),
            quiet("one failed long ago", "20m", vec![(swaps("failed"), "0 1+0x20"), (swaps("swapped"), "0+0x20")]),
        ],
    }
}

fn batch_latency() -> Alert {
    let bucket = |le| one(&(metric::BATCH_SECONDS.to_owned() + "_bucket"), &[(label::SOURCE, "orders"), (LE, le)]);
    let batches = |below_5, below_10| vec![(bucket("5.0"), below_5), (bucket("10.0"), below_10), (bucket("+Inf"), "0+1000x40")];
    Alert {
        name: "ParshallBatchLatency",
        expression: format!("{} > {}", recording::BATCH_P95, thresholds::BATCH_P95_SECONDS),
        wait: FOR_LATENCY,
        severity: Warning,
        summary: "Batches of {{ $labels.source }} are slow",
        description: format!(
            "Of 100 batches of {{{{ $labels.source }}}} at {{{{ $labels.instance }}}}, 5 take longer than {{{{ $value | humanizeDuration }}}} from \
             end to end; {BATCH_P95_SECONDS} s is what they may take."
        ),
        runbook: "Look for the bottleneck on the dashboard, and whether it waits (queue wait) or works (calls). Give a bottleneck that is a \
                  transform more instances, or its pipeline smaller batches. The exemplars on the latency panels lead to traces of slow \
                  batches, which say where each spent its time.",
        trials: vec![
            fires("55 of 1,000", "20m", batches("0+945x40", "0+1000x40"), Fired { labels: OF_SOURCE, value: "5.455s" }),
            quiet("40 of 1,000", "20m", batches("0+960x40", "0+1000x40")),
            quiet("slow for some minutes", "8m", batches("0+0x40", "0+1000x40")),
        ],
    }
}

fn no_success() -> Alert {
    let pushed = || one(metric::LAST_SUCCESS, &[(label::PIPELINE, "nightly")]);
    let nightly = Fired { labels: &[(JOB, PARSHALL), (INSTANCE, AT), (label::PIPELINE, "nightly")], value: "1d 2h 1m 0s" };
    Alert {
        name: "ParshallNoSuccess",
        expression: format!("time() - {} > {NO_SUCCESS_SECONDS}", metric::LAST_SUCCESS),
        wait: FOR_EVENTS,
        severity: Warning,
        // Only what was pushed has the pipeline as a label.
        summary: "No run has completed for long at {{ $labels.instance }} {{ $labels.pipeline }}",
        description: "The last run of {{ $labels.job }} at {{ $labels.instance }} {{ $labels.pipeline }} that completed did so \
                      {{ $value | humanizeDuration }} ago."
            .to_owned(),
        runbook: "See whether it was started at all (cron, the scheduler, its machine) and whether it still runs: a run that hangs neither \
                  fails nor completes. If runs fail, ParshallRunFailed says more. One that is stopped each time (Ctrl-C, a time limit of \
                  its scheduler) does not complete, either. A pipeline that runs less often than daily deserves a rule of its own, with \
                  a higher threshold; for one that is gone for good, delete its group from the Pushgateway.",
        trials: vec![
            fires("a night without", "1561m", vec![(pushed(), "0+0x1600")], nightly),
            quiet("a night, and a little longer", "1559m", vec![(pushed(), "0+0x1600")]),
            quiet("it completed again", "1561m", vec![(pushed(), "0+0x1500 90000+0x100")]),
        ],
    }
}

fn source_stalled() -> Alert {
    let lag = || one(metric::SOURCE_LAG, &[(label::SOURCE, "orders")]);
    Alert {
        name: "ParshallSourceStalled",
        expression: format!("{} > {SOURCE_LAG_SECONDS}", series(metric::SOURCE_LAG)),
        wait: FOR_LEVELS,
        severity: Warning,
        summary: "Source {{ $labels.source }} yields nothing",
        description: "Extract {{ $labels.source }} at {{ $labels.instance }} has not come to its end and has yielded no batch for \
                      {{ $value | humanizeDuration }}."
            .to_owned(),
        runbook: "If the queue behind it is full, it is held back: look for the bottleneck instead. Otherwise it waits for its store: see \
                  whether that answers and whether there is anything new in it. A source that is seldom fed by design deserves a higher \
                  threshold.",
        trials: vec![
            fires("nothing for longer", "10m", vec![(lag(), "315+0x20")], Fired { labels: OF_SOURCE, value: "5m 15s" }),
            quiet("nothing for a while", "10m", vec![(lag(), "285+0x20")]),
            quiet("a batch at last", "6m", vec![(lag(), "0+60x6 0+60x4")]),
            quiet("it came to its end", "20m", vec![(lag(), "0+60x4 0+0x30")]),
        ],
    }
}

fn queue_full() -> Alert {
    let queue = |bytes| {
        let of = |name| one(name, &[(label::STAGE, "clean")]);
        vec![(of(metric::QUEUE_BYTES), bytes), (of(metric::QUEUE_LIMIT), "100+0x60")]
    };
    Alert {
        name: "ParshallQueueFull",
        expression: format!("{} >= {}", recording::QUEUE_RATIO, thresholds::QUEUE_RATIO),
        wait: FOR_QUEUES,
        severity: Warning,
        summary: "The queue in front of stage {{ $labels.stage }} is full",
        description: format!(
            "The queue in front of stage {{{{ $labels.stage }}}} at {{{{ $labels.instance }}}} has been filled to \
             {{{{ $value | humanizePercentage }}}} of its bound for {FOR_QUEUES}: what feeds it has to wait."
        ),
        runbook: "Nothing is lost: back pressure works. For a batch job that reads faster than it works this is normal, and the stage is its \
                  bottleneck. For one that must keep up with its source, give the stage more instances, or make it cheaper (fuel per row, \
                  columns read); a longer queue only delays.",
        trials: vec![
            fires("for half an hour", "30m", queue("95+0x60"), Fired { labels: OF_STAGE, value: "95%" }),
            quiet("for ten minutes", "10m", queue("95+0x10 20+0x50")),
            quiet("four fifths", "30m", queue("80+0x60")),
        ],
    }
}

fn guest_memory() -> Alert {
    let memory = |bytes| {
        let of = |name| one(name, &[(label::STAGE, "clean")]);
        vec![(of(metric::GUEST_MEMORY), bytes), (of(metric::GUEST_MEMORY_LIMIT), "100+0x60")]
    };
    Alert {
        name: "ParshallGuestMemory",
        expression: format!("{} > {}", recording::MEMORY_RATIO, thresholds::MEMORY_RATIO),
        wait: FOR_LEVELS,
        severity: Warning,
        summary: "Stage {{ $labels.stage }} is near its memory limit",
        description:
            "The instances of stage {{ $labels.stage }} at {{ $labels.instance }} have {{ $value | humanizePercentage }} of the linear \
                      memory that they may have; the call that asks for more fails."
                .to_owned(),
        runbook: "Linear memory never shrinks, so this does not go away by itself. If it grew in steps with the number of groups or keys that \
                  the stage holds, raise `limits.memory` in the pipeline file. If it grows with every batch, the stage leaks: report it to \
                  its author; a swap to the same component begins anew.",
        trials: vec![
            fires("95 of 100", "10m", memory("10 50 95+0x60"), Fired { labels: OF_STAGE, value: "95%" }),
            quiet("85 of 100", "10m", memory("85+0x60")),
            quiet("95 of 100, just now", "4m", memory("10 10 10 95+0x60")),
        ],
    }
}

fn telemetry_dropped() -> Alert {
    let dropped = |values| {
        let of = |reason| one(metric::TELEMETRY_DROPPED, &[(label::SIGNAL, "spans"), (label::REASON, reason)]);
        vec![(of("full"), values), (of("failed"), "0+0x60")]
    };
    Alert {
        name: "ParshallTelemetryDropped",
        expression: format!("{} > {}", recording::DROPPED, thresholds::TELEMETRY_DROPPED),
        wait: FOR_EVENTS,
        severity: Warning,
        summary: "Telemetry ({{ $labels.signal }}) is dropped",
        description: format!(
            "About {{{{ $value | humanize }}}} items ({{{{ $labels.signal }}}}) were dropped at {{{{ $labels.instance }}}} within {WINDOW}. Data is not \
             affected."
        ),
        runbook: "Dropped as `failed`: the collector is down, refuses or is unreachable; the log says what it answered. Dropped as `full`: it \
                  is too slow for what is sent; keep fewer spans (`[telemetry] keep` in the pipeline file, `OTEL_TRACES_SAMPLER`) or give \
                  it more room. The run itself never waits for telemetry.",
        trials: vec![
            fires(
                "one item",
                "5m",
                dropped("0 0 1+0x20"),
                Fired { labels: &[(JOB, PARSHALL), (INSTANCE, AT), (label::SIGNAL, "spans")], value: "1" },
            ),
            quiet("some, long ago", "20m", dropped("0 7+0x60")),
        ],
    }
}
