//! The ladder as a page: one file, nothing loaded from anywhere, light and dark.

use std::fmt::Write as _;

use super::{
    answer::percent,
    plot::{self, Bar, Line, Stack, escaped},
};
use crate::{
    bench::{Report, Rung, StageReport},
    cli::amount,
    measure::Verdict,
};

const STYLE: &str = "
:root { color-scheme: light dark; --page: #fcfcfb; --ink: #1d1d1b; --soft: #6b6a66; --grid: #e4e3df;
  --blue: #2a78d6; --green: #1a9c6e; --amber: #d99000; --violet: #7a5cd0; --grey: #b4b2ab; }
@media (prefers-color-scheme: dark) { :root { --page: #1a1a19; --ink: #f0efec; --soft: #a5a39c; --grid: #383835;
  --blue: #3987e5; --green: #25a878; --amber: #c98500; --violet: #9085e9; --grey: #6d6b66; } }
body { margin: 0 auto; max-width: 780px; padding: 24px 16px 64px; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 36px 0 4px; } h3 { font-size: 14px; margin: 18px 0 2px; font-weight: 600; }
p { margin: 4px 0 8px; } .soft { color: var(--soft); font-size: 13px; }
.answer { font-size: 18px; margin: 16px 0; padding: 14px 16px; border-left: 4px solid var(--blue); background: color-mix(in srgb, var(--blue) 8%, transparent); }
svg { width: 100%; height: auto; display: block; } svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
svg .axis, svg .value { fill: var(--soft); font-size: 11px; } .grid { stroke: var(--grid); } .rule { stroke: var(--soft); stroke-dasharray: 4 4; }
.whisker { stroke: var(--ink); stroke-width: 1.5; opacity: .65; } .line { fill: none; stroke-width: 2; } .band { opacity: .18; stroke: none; } .dot { stroke: var(--page); stroke-width: 1.5; }
.blue { fill: var(--blue); } .green { fill: var(--green); } .amber { fill: var(--amber); } .violet { fill: var(--violet); } .grey { fill: var(--grey); }
.line.blue { stroke: var(--blue); } .line.green { stroke: var(--green); } .line.violet { stroke: var(--violet); } .line { fill: none; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; } td, th { text-align: right; padding: 4px 8px; border-bottom: 1px solid var(--grid); }
td:first-child, th:first-child { text-align: left; } .scroll { overflow-x: auto; }
.key { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin: 0 4px 0 12px; } .key.blue { background: var(--blue); } .key.green { background: var(--green); }
.key.amber { background: var(--amber); } .key.violet { background: var(--violet); } .key.grey { background: var(--grey); }
";

/// The page.
pub fn page(report: &Report) -> String {
    let rows = report.nearest_rows();
    let mut body = format!(
        "<h1>What watching {} costs</h1><p class=\"soft\">parshall {} on {} × {}, {}; {:.0} s</p><p class=\"answer\">{}</p>",
        escaped(&report.pipeline),
        report.parshall,
        report.machine.processors,
        escaped(&report.machine.processor),
        escaped(&report.machine.system),
        report.seconds,
        escaped(&report.answer)
    );
    body += &tracing(report);
    let _ = write!(
        body,
        "<h2>The ladder, at {} a batch</h2><p class=\"soft\">What a call costs with one thing more around it each time: metering \
         <span class=\"key blue\"></span>, metrics <span class=\"key green\"></span>, spans <span class=\"key violet\"></span>. \
         Lines are 95 % intervals; grey is noise.</p>",
        amount::of(rows as u64, "row")
    );
    for stage in &report.stages {
        body += &ladder(stage, rows);
    }
    body += "<h2>Cost and size of a batch</h2><p class=\"soft\">Both axes are logarithms: where a line is flat a call costs what it costs, where it \
             climbs the rows do.</p>";
    for stage in &report.stages {
        body += &sizes(stage);
    }
    body += "<h2>Where the time goes</h2><p class=\"soft\">Of a call with everything but export around it: \
             <span class=\"key blue\"></span>guest <span class=\"key amber\"></span>copying, checking, carrying out \
             <span class=\"key green\"></span>imports <span class=\"key violet\"></span>watching</p>";
    for stage in &report.stages {
        body += &times(stage);
    }
    body += &figures(report);
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>parshall bench: {}</title><style>{STYLE}</style><body>{body}</body></html>\n",
        escaped(&report.pipeline)
    )
}

/// Tracing's share of all transforms, by size.
fn tracing(report: &Report) -> String {
    let points = report.total.iter().map(|total| (total.rows as f64, total.share)).collect();
    let floors = report
        .total
        .iter()
        .map(|total| (total.rows as f64, crate::measure::Interval { low: total.floor, median: total.floor, high: total.floor }));
    let lines = [
        Line { name: "tracing".into(), points, class: "violet" },
        Line { name: "noise floor".into(), points: floors.collect(), class: "blue" },
    ];
    format!(
        "<h2>Tracing, as a share of a batch through all transforms</h2><p class=\"soft\">Every batch recorded, encoded and exported to {}. What is \
         below the noise floor is nothing that this machine could tell.</p>{}",
        escaped(&report.receiver),
        plot::lines("Tracing as a share of a batch, by rows of a batch", &lines, percent, Some(0.01))
    )
}

fn ladder(stage: &StageReport, rows: usize) -> String {
    let Some(size) = stage.at(rows) else { return String::new() };
    let bar = |rung: Rung| {
        let report = size.rung(rung);
        let added = report.added.median;
        let told = match report.verdict {
            _ if rung == Rung::Call => amount::seconds(report.seconds.median),
            Verdict::Same => "·".into(),
            Verdict::Slower => format!("+{}", amount::seconds(added)),
            Verdict::Faster => format!("−{}", amount::seconds(-added)),
        };
        let class = match rung {
            _ if report.verdict == Verdict::Same && rung != Rung::Call => "grey",
            Rung::Metrics => "green",
            rung if rung.place() > Rung::Metrics.place() => "violet",
            _ => "blue",
        };
        Bar { name: rung.name().into(), value: report.seconds, told, class }
    };
    let bars: Vec<Bar> = Rung::ALL.into_iter().map(bar).collect();
    format!("<h3>{}</h3>{}", heading(stage), plot::bars(&format!("The ladder of {}", stage.stage), &bars))
}

fn sizes(stage: &StageReport) -> String {
    let line = |rung: Rung, name: &str, class| {
        let points = stage.sizes.iter().map(|size| (size.rows as f64, size.rung(rung).seconds)).collect();
        Line { name: name.into(), points, class }
    };
    // The upper one first: names stand below each other where they must.
    let lines = [line(Rung::Export, "all of it", "violet"), line(Rung::Call, "the call alone", "blue")];
    format!(
        "<h3>{}</h3>{}",
        heading(stage),
        plot::lines(&format!("Cost of {} by rows of a batch", stage.stage), &lines, amount::seconds, None)
    )
}

fn times(stage: &StageReport) -> String {
    let bar = |size: &crate::bench::SizeReport| {
        let time = size.time;
        let parts = vec![(time.guest, "blue"), (time.copy, "amber"), (time.host, "green"), (time.around, "violet")];
        let whole = time.guest + time.copy + time.host + time.around;
        Stack { name: amount::of(size.rows as u64, "row"), parts, told: amount::seconds(whole) }
    };
    let bars: Vec<_> = stage.sizes.iter().map(bar).collect();
    format!("<h3>{}</h3>{}", heading(stage), plot::stacked(&format!("Where the time of {} goes", stage.stage), &bars))
}

fn heading(stage: &StageReport) -> String {
    format!("{} <span class=\"soft\">{}</span>", escaped(&stage.stage), escaped(&stage.component))
}

/// All figures, for whoever wants one.
fn figures(report: &Report) -> String {
    let mut text = "<h2>Figures</h2>".to_owned();
    for stage in &report.stages {
        let _ = write!(text, "<h3>{}</h3><div class=\"scroll\"><table><tr><th>a call</th>", heading(stage));
        for size in &stage.sizes {
            let _ = write!(text, "<th>{}{}</th>", amount::of(size.rows as u64, "row"), if size.repeated { "*" } else { "" });
        }
        text += "</tr>";
        for rung in Rung::ALL {
            let cells: String =
                stage.sizes.iter().map(|size| format!("<td>{}</td>", amount::seconds(size.rung(rung).seconds.median))).collect();
            let _ = write!(text, "<tr><td>{}</td>{cells}</tr>", rung.name());
        }
        let floors: String = stage.sizes.iter().map(|size| format!("<td>± {}</td>", percent(size.floor))).collect();
        let fuel: String = stage.sizes.iter().map(|size| format!("<td>{}</td>", amount::short(size.fuel))).collect();
        let _ = write!(text, "<tr><td>noise floor</td>{floors}</tr><tr><td>fuel</td>{fuel}</tr></table></div>");
    }
    text + "<p class=\"soft\">Medians of interleaved rounds. * more rows than there are: they are repeated.</p>"
}
