//! What is around a call, one thing more at a time, beside the same work without a sandbox: `parshall bench`, on work of ours.
//!
//! Cost model of one call, by which to read the numbers:
//!
//! ```text
//! native  = kernel
//! copied  = kernel + bytes in / memcpy + bytes out / memcpy: what no sandbox of its own memory can be faster than
//! call    = enter + 2 reallocs + columns read × (realloc + bytes / memcpy) + guest kernel + made × bytes / memcpy + recipe
//! deadline, fuel = a check for each loop of the guest and each of its calls (they are compiled in): they grow with rows
//! limiter = nothing, as long as no memory grows
//! clock   = six looks at the clock
//! metrics, spans = numbers and a record of the thread's own: they do not grow with rows
//! export  = nothing on this thread; a thread behind, for 4 to 8 µs a span
//! spans of the guest's own = a few crossings each
//! ```
//!
//! Arms take turns, and `call` is there twice: what the two differ by is the noise floor. `fuel alone` and `deadline alone` say what
//! each would save if the other were left out: both hold up the same loops. Figures are printed as the tables of BENCHMARKS.md.

#[path = "work.rs"]
mod work;

use std::{sync::Arc, time::Duration};

use parshall::{
    bench::{
        Arm, Rung, Turns, batches,
        watch::{Layers, Spans, Watch},
    },
    measure::{Comparison, Estimate, Verdict, fit, floor},
    telemetry::otlp::sink,
    wasm::Accounting,
    words::{
        grants::Grants,
        stage::{Component, Opening},
    },
};

use self::work::{Crossing, Work};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROWS: [usize; 5] = [1, 100, 1_000, 8_192, 65_536];
/// Of each work and size.
const CELL: Duration = Duration::from_millis(2_500);

/// What is beside the rungs.
const OTHERS: [(&str, Beside); 4] = [
    ("native", Beside::Native(Crossing::Nothing)),
    ("native, copied in and out", Beside::Native(Crossing::Copied)),
    ("fuel alone", Beside::Sandboxed(Accounting { fuel: true, deadline: false, limiter: false, clock: false })),
    ("deadline alone", Beside::Sandboxed(Accounting { fuel: false, deadline: true, limiter: false, clock: false })),
];
/// Those of them that are native.
const NATIVE: usize = 2;

#[derive(Clone, Copy)]
enum Beside {
    Native(Crossing),
    Sandboxed(Accounting),
}

fn main() {
    // `cargo test --benches` asks benches whether they run, not what they measure.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let export = Spans::to(&sink::listen().expect("a port"));
    for work in Work::ALL.into_iter().filter(|work| wanted.is_empty() || wanted.iter().any(|wanted| wanted == work.name())) {
        ladder(work, &export);
    }
    if wanted.is_empty() || wanted.iter().any(|wanted| wanted == "spans") {
        guest_spans(&export);
    }
}

/// Spans of a guest's own in a call.
const GUEST_SPANS: [u32; 4] = [0, 1, 4, 16];

/// The topmost rung: a guest that opens spans of its own, each with two attributes, in calls that are recorded or not.
fn guest_spans(export: &Spans) {
    let (schema, facts) = (work::batch(1).schema(), Work::Noop.facts(&work::batch(1).schema()));
    let component: Arc<dyn Component> = Arc::new(work::load(&work::runtime(Accounting::default()), "testing/spans"));
    println!("\n### A guest's own spans\n\n| spans in a call | what they add | each |\n|---|---|---|");
    for (what, spans) in [("not recorded", Spans::sampled(0.0)), ("recorded and exported", export.clone())] {
        let watch = start(&facts, &Layers { spans: Some(spans), metrics: true });
        // The first is there twice: the noise floor.
        let grants = Grants { telemetry: true, ..Grants::default() };
        let opening = |spans| Opening { grants: grants.clone(), ..work::opening(serde_json::json!({ "spans": spans }), &schema) };
        let openings: Vec<_> = [0].into_iter().chain(GUEST_SPANS).map(opening).collect();
        let open = |opening| Arm::open(Arc::clone(&component), opening, &watch).expect("it opens");
        let mut arms: Vec<Arm<'_>> = openings.iter().map(open).collect();
        let batches = batches(&[vec![work::batch(4)]], 1).expect("rows").expect("a row");
        let turns = Turns::take(&mut arms, &batches, CELL).expect("it answers");
        let floor = floor(&turns.rounds, 0, 1, 1);
        for (arm, spans) in GUEST_SPANS.into_iter().enumerate().skip(1) {
            let added = Comparison::new(&turns.rounds, 0, arm + 1, floor, 2).difference.interval();
            let nanoseconds = |seconds: f64| format!("{:.0} ns", seconds * 1e9);
            println!(
                "| {spans}, {what} | {} ± {} | {} |",
                nanoseconds(added.median),
                nanoseconds((added.high - added.low) / 2.0),
                nanoseconds(added.median / f64::from(spans))
            );
        }
        drop(arms);
        finish(watch);
    }
}

fn ladder(work: Work, export: &Spans) {
    let schema = work::batch(1).schema();
    let (opening, facts) = (work.opening(&schema), work.facts(&schema));
    let load = |accounting: Accounting| -> Arc<dyn Component> { Arc::new(work::load(&work::runtime(accounting), work.component())) };
    let mut names: Vec<&str> = OTHERS.iter().map(|(name, _)| *name).collect();
    let component = |beside: &(&str, Beside)| match beside.1 {
        Beside::Native(crossing) => work.natively(crossing),
        Beside::Sandboxed(accounting) => load(accounting),
    };
    let mut components: Vec<Arc<dyn Component>> = OTHERS.iter().map(component).collect();
    let mut watches: Vec<Watch> = OTHERS.iter().map(|_| Watch::nothing()).collect();
    for rung in Rung::ALL {
        let layers = rung.layers(export);
        let none = layers.spans.is_none() && !layers.metrics;
        names.push(rung.name());
        components.push(load(rung.accounting()));
        watches.push(if none { Watch::nothing() } else { start(&facts, &layers) });
    }
    let mut arms: Vec<Arm<'_>> =
        components.into_iter().zip(&watches).map(|(component, watch)| Arm::open(component, &opening, watch).expect("it opens")).collect();
    let at = |rung: Rung| OTHERS.len() + rung.place();
    let (call, control, all) = (at(Rung::Call), at(Rung::Control), at(Rung::Export));
    let turns: Vec<Turns> = ROWS
        .iter()
        .map(|rows| {
            let batches = batches(&[vec![work::batch(4 * rows)]], *rows).expect("rows").expect("a row");
            Turns::take(&mut arms, &batches, CELL).expect("it answers")
        })
        .collect();
    println!("\n### {}\n", work.name());
    println!("| a call | {} |", ROWS.map(|rows| format!("{rows} rows")).join(" | "));
    println!("|---|{}", "---|".repeat(ROWS.len()));
    let line = |name: &str, cell: &dyn Fn(&Turns) -> String| {
        println!("| {name} | {} |", turns.iter().map(cell).collect::<Vec<_>>().join(" | "));
    };
    let told = |seconds: f64| if seconds.abs() < 1e-6 { format!("{:.0} ns", seconds * 1e9) } else { format!("{:.2} µs", seconds * 1e6) };
    let whole = |arm: usize| {
        move |turns: &Turns| {
            let interval = Estimate::median(turns.rounds.arm(arm), 1).interval();
            format!("{} ± {}", told(interval.median), told((interval.high - interval.low) / 2.0))
        }
    };
    let added = |base: usize, arm: usize| {
        move |turns: &Turns| {
            let compared = Comparison::new(&turns.rounds, base, arm, floor(&turns.rounds, call, control, 1), 2);
            match compared.verdict {
                Verdict::Same => "·".to_owned(),
                _ => format!("{}{}", if compared.difference.middle() > 0.0 { "+" } else { "" }, told(compared.difference.middle())),
            }
        }
    };
    for (other, name) in names.iter().enumerate().take(NATIVE) {
        line(name, &whole(other));
    }
    line(names[call], &whole(call));
    for (other, name) in names.iter().enumerate().take(OTHERS.len()).skip(NATIVE) {
        line(name, &added(call, other));
    }
    for rung in Rung::ALL.into_iter().filter(|rung| rung.place() > Rung::Control.place()) {
        line(rung.name(), &added(at(rung.below()), at(rung)));
    }
    line("all of it", &whole(all));
    for (other, name) in names.iter().enumerate().take(NATIVE) {
        line(&format!("× {name}"), &|turns| {
            let ratio = Comparison::new(&turns.rounds, other, all, 0.0, 3).ratio.interval();
            format!("{:.2} ({:.2}–{:.2})", ratio.median, ratio.low, ratio.high)
        });
    }
    line("metering and watching", &|turns| {
        let ratio = Comparison::new(&turns.rounds, call, all, 0.0, 3).ratio.interval();
        format!("{:+.1} % ({:+.1}–{:+.1})", 100.0 * (ratio.median - 1.0), 100.0 * (ratio.low - 1.0), 100.0 * (ratio.high - 1.0))
    });
    line("noise floor", &|turns| format!("± {:.1} %", 100.0 * floor(&turns.rounds, call, control, 1)));
    let costs: Vec<Estimate> = turns.iter().map(|turns| Estimate::median(turns.rounds.arm(all), 4)).collect();
    let costs: Vec<&Estimate> = costs.iter().collect();
    if let Some(fit) = fit(&ROWS, &costs, &costs) {
        let (call, row) = (fit.line().call, fit.line().row);
        let ns = |seconds: f64| format!("{:.2}", seconds * 1e9);
        println!(
            "\ncost = {} ({} to {}) + {} ns ({} to {}) × rows",
            told(call.median),
            told(call.low),
            told(call.high),
            ns(row.median),
            ns(row.low),
            ns(row.high)
        );
    }
    drop(arms);
    watches.into_iter().filter(Watch::records).for_each(finish);
}

fn finish(watch: Watch) {
    let (fate, why) = watch.finish();
    assert!(why.is_none(), "spans could not be delivered: {why:?}");
    // Drops are cheap: figures with drops prove nothing.
    if fate.dropped_full > 0 {
        println!("\nof the spans, {} were exported and {} found no room", fate.exported, fate.dropped_full);
    }
}

fn start(facts: &parshall::words::observe::StageFacts, layers: &Layers) -> Watch {
    Watch::start(facts.clone(), layers).expect("it starts")
}
