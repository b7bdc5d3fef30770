//! `parshall top`: a run on the terminal, as it goes.

mod columns;
mod draw;
mod feed;
mod keys;
mod rates;
mod state;

use std::{
    io::IsTerminal as _,
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use anyhow::Context as _;
use ratatui::{
    DefaultTerminal,
    crossterm::event::{self, Event as Pressed, KeyEventKind},
};

use self::{feed::Feed, state::State};
use super::{Exit, client::Which};
use crate::pipeline::spec::units;

/// How often keys are looked for.
const GLANCE: Duration = Duration::from_millis(50);

/// Arguments of `parshall top`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    /// How often the run is asked, such as `500ms`.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = every)]
    every: Duration,
}

fn every(text: &str) -> Result<Duration, String> {
    let time = units::time(text).map_err(|error| format!("{error}; expected a time such as `1s`"))?;
    if time < Duration::from_millis(100) { Err("at least `100ms`".into()) } else { Ok(time) }
}

/// Shows it until somebody has seen enough.
pub fn top(arguments: &Arguments) -> Result<(), Exit> {
    if !std::io::stdout().is_terminal() {
        return Err(Exit::Wrong("`parshall top` needs a terminal; `parshall status` prints once, `--json` for programs".into()));
    }
    let target = arguments.which.target()?;
    let (to, events) = channel();
    let mut feed = Feed::start(target, arguments.every, to)?;
    let mut terminal = ratatui::try_init().context("the terminal cannot be used").map_err(Exit::from)?;
    let shown = show(&mut terminal, &mut feed, &events);
    ratatui::restore();
    shown.map_err(|error| Exit::Broken(error.into()))
}

fn show(terminal: &mut DefaultTerminal, feed: &mut Feed, events: &Receiver<feed::Event>) -> std::io::Result<()> {
    let mut state = State::default();
    while !state.quit {
        events.try_iter().for_each(|event| state.take(event));
        terminal.draw(|frame| draw::draw(frame, &state))?;
        if event::poll(GLANCE)?
            && let Pressed::Key(key) = event::read()?
            && key.kind != KeyEventKind::Release
        {
            keys::press(&mut state, feed, key);
        }
    }
    Ok(())
}
