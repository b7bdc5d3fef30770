//! What comes from the run, asked by threads, so that the screen waits for nobody.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::Sender,
    },
    thread,
    time::Duration,
};

use crate::cli::{
    Exit,
    admin::shapes::{Status, Trying},
    client::{Client, Target},
    swap,
    tap::{
        STEADY, Side, View,
        seen::{Batches, Line, Shown},
    },
};

/// Rows of a batch that are asked for: more than most terminals have lines.
const ROWS: u64 = 50;

/// What a thread has to tell.
pub enum Event {
    /// How the run is.
    Status(Box<Status>),
    /// The run does not answer.
    Lost(String),
    /// What came of a swap.
    Swapped(String),
    /// A batch of the tap of this number.
    Batch(u64, Box<Shown>),
    /// The tap of this number has ended.
    TapEnded(u64, String),
}

/// Threads that ask.
pub struct Feed {
    target: Target,
    to: Sender<Event>,
    /// The tap that is open.
    tap: Option<Arc<AtomicBool>>,
    /// How many taps there were.
    taps: u64,
}

impl Feed {
    /// Begins to ask how the run is.
    pub fn start(target: Target, every: Duration, to: Sender<Event>) -> Result<Self, Exit> {
        let client = Client::new(target.clone())?;
        // What is wrong with the run's address or token is told before the screen is taken.
        let first: Status = client.get("/v1/status")?;
        let _ = to.send(Event::Status(Box::new(first)));
        let told = to.clone();
        thread::spawn(move || {
            loop {
                thread::sleep(every);
                let event = client.get("/v1/status").map_or_else(|exit| Event::Lost(said(exit)), |status| Event::Status(Box::new(status)));
                if told.send(event).is_err() {
                    return;
                }
            }
        });
        Ok(Feed { target, to, tap: None, taps: 0 })
    }

    /// Swaps a stage.
    pub fn swap(&self, stage: String, component: String) {
        let (target, to) = (self.target.clone(), self.to.clone());
        thread::spawn(move || {
            let swapped = Client::new(target).and_then(|client| swap::ask(&client, &stage, &component, Trying::default()));
            let text = match swapped {
                Ok(Some(told)) => told.line(),
                Ok(None) => format!("{stage}: this is what runs already"),
                Err(exit) => format!("{stage}: {}", said(exit)),
            };
            let _ = to.send(Event::Swapped(text));
        });
    }

    /// Opens a tap in place of the one that is open, and answers its number.
    pub fn tap(&mut self, stage: &str, side: Option<Side>) -> u64 {
        self.close_tap();
        let (number, closed) = (self.taps, Arc::new(AtomicBool::new(false)));
        self.tap = Some(Arc::clone(&closed));
        let view = View { side, port: None, every: 1, rows: ROWS, pause: STEADY };
        let (target, to, path) = (self.target.clone(), self.to.clone(), view.path(stage));
        thread::spawn(move || {
            let mut batches = Batches::default();
            let ended = Client::new(target).and_then(|client| {
                client.lines(&path, |line| {
                    if let Some(shown) = Line::read(line).and_then(|line| batches.take(line)) {
                        let _ = to.send(Event::Batch(number, Box::new(shown)));
                    }
                    !closed.load(Relaxed)
                })
            });
            let why = ended.map_or_else(said, |()| batches.end.unwrap_or_else(|| "the tap has ended".to_owned()));
            let _ = to.send(Event::TapEnded(number, why));
        });
        number
    }

    /// Closes the tap that is open.
    pub fn close_tap(&mut self) {
        self.tap.take().iter().for_each(|tap| tap.store(true, Relaxed));
        self.taps += 1;
    }
}

/// On one line.
fn said(exit: Exit) -> String {
    let text = match exit {
        Exit::Failed => "failed".to_owned(),
        Exit::Broken(error) => format!("{error:#}"),
        Exit::Diagnostics(text) | Exit::Wrong(text) => text,
    };
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}
