//! What is being done that takes its time: a line that turns on a terminal, and goes when it is done.

use std::{io::IsTerminal as _, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{When, exit::tell};

/// How often the line is drawn anew.
const INTERVAL: Duration = Duration::from_millis(100);

/// Something that is being done, until it is dropped.
pub struct Doing(Option<ProgressBar>);

// === impl Doing ===

impl Doing {
    /// Said at once, wherever standard error goes.
    pub fn aloud(when: When, what: &str) -> Self {
        let doing = Doing::quietly(when, what);
        if doing.0.is_none() && when != When::Never {
            tell(format_args!("{what} …"));
        }
        doing
    }

    /// Said where somebody waits for it: on a terminal.
    pub fn quietly(when: When, what: &str) -> Self {
        Doing((when != When::Never && std::io::stderr().is_terminal()).then(|| {
            let style = ProgressStyle::with_template("{spinner} {msg} … {elapsed}").unwrap_or_else(|_| ProgressStyle::default_spinner());
            let line = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style).with_message(what.to_owned());
            line.tick();
            line.enable_steady_tick(INTERVAL);
            line
        }))
    }
}

impl Drop for Doing {
    fn drop(&mut self) {
        self.0.iter().for_each(ProgressBar::finish_and_clear);
    }
}
