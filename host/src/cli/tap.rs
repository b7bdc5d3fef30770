//! `parshall tap`: batches of a stage as they pass, as tables or as JSON lines.

use std::{io::IsTerminal as _, time::Duration};

use clap::ValueEnum;
use ratatui::{crossterm::terminal, text::Span};

use self::seen::{Line, Shown};
use super::{
    Exit,
    client::{Client, Which, escaped},
    exit, ruled,
};
use crate::pipeline::spec::units;

pub mod seen;

/// How long a batch stays on a terminal at least, in milliseconds.
pub const STEADY: Duration = Duration::from_millis(200);

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
    /// Pass over batches for so long after each, such as `1s` [default: 200ms for tables on a terminal].
    #[arg(long, value_name = "TIME", value_parser = pause)]
    pause: Option<Duration>,
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
    let (side, port) = (arguments.side, arguments.port.as_deref());
    let path = View { side, port, every: arguments.every, rows: arguments.rows, pause: arguments.pause() }.path(&arguments.stage);
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

impl Arguments {
    fn pause(&self) -> Duration {
        let read_by_people = self.format == Format::Table && std::io::stdout().is_terminal();
        self.pause.unwrap_or(if read_by_people { STEADY } else { Duration::ZERO })
    }
}

fn pause(text: &str) -> Result<Duration, String> {
    units::time(text).map_err(|error| format!("{error}; expected a time such as `1s`"))
}

/// What is to be seen of a stage.
pub struct View<'a> {
    /// Which side; none is where its rows go.
    pub side: Option<Side>,
    /// Which port or input; none is all.
    pub port: Option<&'a str>,
    /// Every N-th batch.
    pub every: u64,
    /// Rows of each.
    pub rows: u64,
    /// How long nothing is shown after each.
    pub pause: Duration,
}

impl View<'_> {
    /// The path of its tap.
    pub fn path(&self, stage: &str) -> String {
        let View { every, rows, .. } = self;
        let mut path = format!("/v1/stages/{}/tap?every={every}&rows={rows}&pause={}", escaped(stage), self.pause.as_millis());
        if let Some(side) = self.side {
            path.push_str(if side == Side::In { "&side=in" } else { "&side=out" });
        }
        if let Some(port) = self.port {
            path.push_str(&format!("&port={}", escaped(port)));
        }
        path
    }
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
        let view = View { side: Some(Side::In), port: Some("x.rejected"), every: 2, rows: 3, pause: STEADY };
        assert_eq!(view.path("a b"), "/v1/stages/a%20b/tap?every=2&rows=3&pause=200&side=in&port=x.rejected");
    }
}
