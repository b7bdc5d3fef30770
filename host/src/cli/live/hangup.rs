//! What `SIGHUP` means: the terminal has gone, or somebody wants the pipeline file to be read again.
//!
//! A terminal that closes takes its controlling hold on us away before it sends the signal, so the two can be told apart.

use std::{
    fs, io,
    sync::{
        Arc,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
};

use super::changes::{self, Changes};
use crate::pipeline::swap::Trigger;

/// What is known of how we were started.
pub struct Hangup {
    /// Started from a terminal.
    terminal: bool,
    /// Started by `nohup`, or by whoever else wants hangups to be ignored.
    ignored: bool,
    /// Can be changed while it runs.
    live: bool,
    reload: SyncSender<()>,
}

/// What is to be done about one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// As Ctrl-C.
    Stop,
    /// The pipeline file is read again.
    Reload,
    /// Nothing.
    Nothing,
}

impl Hangup {
    /// For a run that is changed by other triggers, too, or not.
    pub fn new(changes: &Arc<Changes>, live: bool) -> io::Result<Self> {
        let changes = Arc::downgrade(changes);
        // One that is under way and one that waits: the latter sees what all later ones would.
        let (reload, asked) = sync_channel(1);
        let work = move || {
            while asked.recv().is_ok() {
                let Some(changes) = changes.upgrade().filter(|changes| !changes.over()) else { return };
                if let Err(refusal) = changes.reload(Trigger::Signal) {
                    changes::complain(&refusal);
                }
            }
        };
        thread::Builder::new().name("reload".into()).spawn(work)?;
        Ok(Hangup { terminal: has_terminal(), ignored: is_ignored(), live, reload })
    }

    /// What one that has come just now means.
    pub fn means(&self) -> Means {
        means(self.terminal, self.ignored, self.live, has_terminal())
    }

    /// Has the pipeline file read again, by another thread.
    pub fn reload(&self) {
        let _ = self.reload.try_send(());
    }
}

fn means(started_on_terminal: bool, ignored: bool, live: bool, has_terminal: bool) -> Means {
    match (started_on_terminal, has_terminal) {
        (true, false) if ignored => Means::Nothing,
        (true, false) => Means::Stop,
        (true, true) if !live && ignored => Means::Nothing,
        (true, true) if !live => Means::Stop,
        _ => Means::Reload,
    }
}

/// Whether a terminal holds us.
fn has_terminal() -> bool {
    fs::File::open("/dev/tty").is_ok()
}

/// Whether hangups were to be ignored when we began: Linux tells, and where it is not known they were not.
fn is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map(str::trim);
    mask.and_then(|mask| u64::from_str_radix(mask, 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects who closes a terminal, who has used `nohup`, and whose daemon is told to read its file again.
    #[test]
    fn a_closed_terminal_is_not_a_reload() {
        for live in [false, true] {
            assert_eq!(means(true, false, live, false), Means::Stop, "the terminal has gone");
            assert_eq!(means(true, true, live, false), Means::Nothing, "nohup");
            assert_eq!(means(false, false, live, false), Means::Reload, "a daemon");
        }
        assert_eq!(means(true, false, true, true), Means::Reload, "kill -HUP from elsewhere");
        assert_eq!(means(true, false, false, true), Means::Stop, "as ever");
    }
}
