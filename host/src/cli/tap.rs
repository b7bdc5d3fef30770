//! `parshall tap`: batches of a stage as they pass, as tables or as JSON lines.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use ratatui::{crossterm::terminal, text::Span};

use self::seen::{Line, Shown};
use super::{
    Exit,
    client::{Client, Which, escaped},
    exit, ruled,
};

pub mod seen;

/// Arguments of `parshall tap`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The stage.
    #[arg(value_name = "STAGE")]
    stage: String,
    #[command(flatten)]
    which: Which,
    /// Batches that go in, or that come out [default: out; of a load, in].
    #[arg(long, value_enum)]
    side: Option<Side>,
    /// Only those of this port or input, such as `rejected` [default: all].
    #[arg(long, value_name = "NAME")]
    port: Option<String>,
    /// Every N-th batch.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// Rows of each batch, from its first; at most 1000.
    #[arg(long, value_name = "N", default_value_t = 10)]
    rows: u64,
    /// End after so many batches [default: with the run, or Ctrl-C].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// How rows are shown; ADMIN.md names the fields of the JSON lines.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Side {
    /// What goes in.
    In,
    /// What comes out.
    Out,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for each batch.
    Table,
    /// JSON lines, as the admin port gives them.
    Json,
}

/// Shows them until there are no more, or enough.
pub fn tap(arguments: &Arguments) -> Result<(), Exit> {
    let client = Client::new(arguments.which.target()?)?;
    let path = path(&arguments.stage, arguments.side, arguments.port.as_deref(), arguments.every, arguments.rows);
    let (mut seen, mut batches, mut failed) = (seen::Batches::default(), 0, None);
    let most = arguments.limit.unwrap_or(u64::MAX);
    client.lines(&path, |line| {
        let Some(line) = Line::read(line) else { return true };
        let text = match arguments.format {
            Format::Json => Some(line.text.clone() + "\n"),
            Format::Table => None,
        };
        let whole = seen.take(line);
        let text = text.or_else(|| whole.as_ref().map(table));
        batches += u64::from(whole.is_some());
        failed = text.and_then(|text| exit::print(&text).err());
        failed.is_none() && batches < most
    })?;
    failed.map_or(Ok(()), Err)
}

/// The path of a tap.
pub fn path(stage: &str, side: Option<Side>, port: Option<&str>, every: u64, rows: u64) -> String {
    let mut path = format!("/v1/stages/{}/tap?every={every}&rows={rows}", escaped(stage));
    if let Some(side) = side {
        path.push_str(if side == Side::In { "&side=in" } else { "&side=out" });
    }
    if let Some(port) = port {
        path.push_str(&format!("&port={}", escaped(port)));
    }
    path
}

/// A batch as a table, no wider than the terminal.
fn table(batch: &Shown) -> String {
    let names: Vec<&str> = batch.columns.iter().map(String::as_str).collect();
    let table = ruled::table(&names, batch.rows.iter().cloned());
    let width = std::io::stdout().is_terminal().then(|| terminal::size().ok()).flatten().map_or(usize::MAX, |(width, _)| width.into());
    format!("{}\n{table}\n", batch.title()).lines().map(|line| cut(line, width) + "\n").collect()
}

/// A line, cut where the terminal ends.
fn cut(line: &str, width: usize) -> String {
    if Span::raw(line).width() <= width {
        return line.to_owned();
    }
    let mut shown = String::new();
    for character in line.chars() {
        shown.push(character);
        if Span::raw(&shown).width() >= width {
            shown.pop();
            break;
        }
    }
    shown + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects terminals against lines that wrap, also where characters are two columns wide.
    #[test]
    fn a_line_is_cut_where_the_terminal_ends() {
        assert_eq!((cut("abc", 3).as_str(), cut("abcd", 3).as_str()), ("abc", "ab…"));
        let wide = cut("漢字漢字", 5);
        assert!(Span::raw(&wide).width() <= 5, "{wide}");
        assert_eq!(path("a b", Some(Side::In), Some("x.rejected"), 2, 3), "/v1/stages/a%20b/tap?every=2&rows=3&side=in&port=x.rejected");
    }
}
