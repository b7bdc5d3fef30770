//! The same functions, by everybody.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use parshall::{
    bench::{
        Rung,
        watch::{Spans, Watch},
    },
    measure::{Comparison, Estimate, Interval, Rounds, floor},
    telemetry::otlp::sink,
};

use crate::{
    arm::{self, Arm},
    arms::{ArrowUdf, Extism, Native, Parshall, facts, opening},
    rows::Columns,
};

const ROWS: [usize; 2] = [1_024, 65_536];
/// Of each function and size.
const CELL: Duration = Duration::from_secs(12);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Gcd,
    Add,
    Upper,
    /// `c0 > 0`, of 16 columns.
    Filter,
}

impl Function {
    const ALL: [Function; 4] = [Function::Add, Function::Gcd, Function::Upper, Function::Filter];

    pub fn name(self) -> &'static str {
        match self {
            Function::Gcd => "gcd",
            Function::Add => "add",
            Function::Upper => "upper",
            Function::Filter => "filter",
        }
    }
}

/// Ours, with everything on: what the others are compared with. And once more.
const OURS: usize = 2;
const AGAIN: usize = 3;

pub fn run() -> Result<()> {
    let export = Spans::to(&sink::listen()?);
    for function in Function::ALL {
        let mut measured = Vec::new();
        for rows in ROWS {
            measured.push(measure(function, rows, &export).with_context(|| format!("{} of {rows} rows", function.name()))?);
        }
        print(function, &measured);
    }
    Ok(())
}

/// A function on batches of one size.
struct Measured {
    names: Vec<&'static str>,
    rounds: Rounds,
    /// Where the time of ours goes.
    parts: String,
}

fn measure(function: Function, rows: usize, export: &Spans) -> Result<Measured> {
    let batches = Columns::batches(function, rows);
    let opening = opening(function, &batches);
    let watched = || Watch::start(facts(&opening), &Rung::Export.layers(export));
    let watches = [Watch::nothing(), watched()?, watched()?];
    let ours = |rung, watch| Parshall::open(function, rung, &opening, watch, &batches);
    let mut arms: Vec<(&'static str, Box<dyn Arm + '_>)> = vec![
        ("natively", Box::new(Native::open(function, &batches))),
        ("Parshall, a bare call", Box::new(ours(Rung::Call, &watches[0])?)),
        ("**Parshall, everything on**", Box::new(ours(Rung::Export, &watches[1])?)),
        ("the same again", Box::new(ours(Rung::Export, &watches[2])?)),
        ("arrow-udf-runtime", Box::new(ArrowUdf::open(function, false, &batches)?)),
        ("extism", Box::new(Extism::open(function, false, false, &batches)?)),
        ("extism, with fuel", Box::new(Extism::open(function, false, true, &batches)?)),
    ];
    if function == Function::Filter {
        arms.push(("arrow-udf-runtime: one column in, the host filters", Box::new(ArrowUdf::open(function, true, &batches)?)));
        arms.push(("extism: one column in, the host filters", Box::new(Extism::open(function, true, false, &batches)?)));
    }
    let expected = batches[0].answer(function);
    for (name, arm) in &mut arms {
        ensure!(arm.answer().context(*name)? == expected, "{name} answers something else");
    }
    let parts = ours(Rung::Export, &watches[1])?.parts()?;
    let (names, mut arms): (Vec<_>, Vec<_>) = arms.into_iter().unzip();
    let rounds = arm::turns(&mut arms, CELL)?;
    drop(arms);
    for watch in watches.into_iter().filter(Watch::records) {
        let (fate, why) = watch.finish();
        ensure!(why.is_none() && fate.dropped_full == 0, "spans were dropped, so the figures say nothing: {fate:?} {why:?}");
    }
    Ok(Measured { names, rounds, parts })
}

fn print(function: Function, measured: &[Measured]) {
    println!("\n#### {}\n", function.name());
    println!("| a call | {} |", ROWS.map(|rows| format!("{rows} rows | × Parshall")).join(" | "));
    println!("|---|{}", "---|---|".repeat(ROWS.len()));
    for (arm, name) in measured[0].names.iter().enumerate() {
        let cell = |Measured { rounds, .. }: &Measured| {
            let seconds = Estimate::median(rounds.arm(arm), 1).interval();
            let ratio = Comparison::new(rounds, OURS, arm, floor(rounds, OURS, AGAIN, 1), 2).ratio.interval();
            format!("{} | {}", told(seconds), if arm == OURS { "1".to_owned() } else { times(ratio) })
        };
        println!("| {name} | {} |", measured.iter().map(cell).collect::<Vec<_>>().join(" | "));
    }
    let floors = measured
        .iter()
        .map(|Measured { rounds, .. }| format!("± {:.1} % | {} rounds", 100.0 * floor(rounds, OURS, AGAIN, 1), rounds.len()));
    println!("| noise floor | {} |", floors.collect::<Vec<_>>().join(" | "));
    println!();
    for (rows, Measured { parts, .. }) in ROWS.iter().zip(measured) {
        println!("Of a call of ours with {rows} rows: {parts}.");
    }
}

pub fn told(seconds: Interval) -> String {
    let (unit, by) = match seconds.median {
        median if median < 1e-6 => ("ns", 1e9),
        median if median < 1e-3 => ("µs", 1e6),
        _ => ("ms", 1e3),
    };
    let [low, median, high] = [seconds.low, seconds.median, seconds.high].map(|figure| by * figure);
    if unit == "ns" { format!("{median:.0} {unit} ({low:.0}–{high:.0})") } else { format!("{median:.2} {unit} ({low:.2}–{high:.2})") }
}

pub fn times(ratio: Interval) -> String {
    format!("{:.2} ({:.2}–{:.2})", ratio.median, ratio.low, ratio.high)
}
