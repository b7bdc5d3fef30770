//! The ladder on a terminal: a table for each stage, one for all of them, the answer.

use comfy_table::{Cell, CellAlignment, Table};

use super::answer::percent;
use crate::{
    bench::{Report, Rung, SizeReport, StageReport},
    cli::{amount, summary::RULED},
    measure::Verdict,
};

/// All of it.
pub fn text(report: &Report) -> String {
    let mut text = String::new();
    for stage in &report.stages {
        text += &of_stage(stage);
    }
    text += &total(report);
    text + "\n" + &report.answer + "\n"
}

fn of_stage(stage: &StageReport) -> String {
    let mut table = Table::new();
    table.load_style(RULED);
    let head = stage.sizes.iter().map(|size| format!("{}{}", amount::of(size.rows as u64, "row"), if size.repeated { "*" } else { "" }));
    table.set_header(std::iter::once("a call".to_owned()).chain(head).map(right));
    for rung in Rung::ALL.into_iter().filter(|rung| *rung != Rung::Control) {
        row(&mut table, rung.name(), &stage.sizes, |size| added(size, rung));
    }
    row(&mut table, "all of it", &stage.sizes, |size| amount::seconds(size.rung(Rung::Export).seconds.median));
    row(&mut table, "noise floor", &stage.sizes, |size| format!("± {}", percent(size.floor)));
    let mut text = format!(
        "\n{}: {}{}\n{}",
        stage.stage,
        stage.component,
        if stage.stateful { ", opened anew for every turn" } else { "" },
        lines(&table)
    );
    if let Some(fit) = stage.fits.last() {
        let (call, row) = (fit.line.call, fit.line.row);
        let of = |number: f64| amount::seconds(number.max(0.0));
        text += &format!(
            "cost = {} ({} to {}) + {} ({} to {}) × rows\n",
            of(call.median),
            of(call.low),
            of(call.high),
            of(row.median),
            of(row.low),
            of(row.high)
        );
    }
    if stage.sizes.iter().any(|size| size.repeated) {
        text += "* more rows than there are: they are repeated\n";
    }
    text
}

/// What a rung costs: the first one itself, the others what they add; nothing that is noise.
fn added(size: &SizeReport, rung: Rung) -> String {
    let report = size.rung(rung);
    match report.verdict {
        _ if rung == Rung::Call => amount::seconds(report.seconds.median),
        Verdict::Same => "·".into(),
        Verdict::Slower => format!("+{}", amount::seconds(report.added.median)),
        Verdict::Faster => format!("−{}", amount::seconds(-report.added.median)),
    }
}

fn total(report: &Report) -> String {
    let mut table = Table::new();
    table.load_style(RULED);
    table.set_header(["rows of a batch", "untraced", "tracing", "share", "95 %", "noise floor"].map(right));
    for total in &report.total {
        let noise = total.verdict == Verdict::Same;
        let told = |text: String| if noise { "·".to_owned() } else { text };
        let cells = [
            amount::count(total.rows as u64),
            amount::seconds(total.untraced.median),
            told(if total.tracing.median < 0.0 {
                format!("−{}", amount::seconds(-total.tracing.median))
            } else {
                amount::seconds(total.tracing.median)
            }),
            told(percent(total.share.median)),
            format!("{} to {}", percent(total.share.low), percent(total.share.high)),
            format!("± {}", percent(total.floor)),
        ];
        table.add_row(cells.map(right));
    }
    format!(
        "\nall transforms: metered and measured; and traced: every batch recorded and exported to {}\n{}· is less than the noise floor, which the same call measured twice shows\n",
        report.receiver,
        lines(&table)
    )
}

fn row(table: &mut Table, name: &str, sizes: &[SizeReport], cell: impl Fn(&SizeReport) -> String) {
    table.add_row(std::iter::once(Cell::new(name)).chain(sizes.iter().map(|size| right(cell(size)))));
}

fn right(text: impl ToString) -> Cell {
    Cell::new(text.to_string()).set_alignment(CellAlignment::Right)
}

/// Without blanks at the ends of lines.
pub fn lines(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}
