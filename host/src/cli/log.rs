//! What the command logs, and in which form: text on a terminal, JSON lines elsewhere, unless somebody says otherwise.

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use super::Exit;
use crate::{
    pipeline::diagnostic::nearest,
    telemetry::logs::{self, Form},
};

/// The variable that chooses the form where no argument does.
const FORMAT: &str = "PARSHALL_LOG_FORMAT";
/// The variable that says what is logged.
const FILTER: &str = "PARSHALL_LOG";

/// The form of log records on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// Logs to standard error from now on.
pub fn start(verbose: u8, format: Option<LogFormat>, colour: bool) -> Result<(), Exit> {
    let form = match chosen(format)? {
        LogFormat::Json => Form::Json,
        LogFormat::Auto if !terminal() => Form::Json,
        LogFormat::Auto | LogFormat::Text => Form::Text { ids: verbose > 0, colour },
    };
    logs::install(form, filter(verbose)?);
    Ok(())
}

fn chosen(format: Option<LogFormat>) -> Result<LogFormat, Exit> {
    if let Some(format) = format {
        return Ok(format);
    }
    match std::env::var(FORMAT) {
        Ok(text) if !text.is_empty() => {
            LogFormat::from_str(&text, true).map_err(|_| Exit::Wrong(format!("${FORMAT} is `{text}`: expected `auto`, `text` or `json`")))
        }
        _ => Ok(LogFormat::Auto),
    }
}

fn filter(verbose: u8) -> Result<EnvFilter, Exit> {
    let default = match verbose {
        0 => "warn,guest=info,parshall::audit=info",
        1 => "info,guest=debug",
        _ => "debug,guest=trace",
    };
    let text = std::env::var(FILTER).ok().filter(|text| !text.is_empty());
    let text = text.as_deref().unwrap_or(default);
    understood(text).map_err(Exit::Wrong)?;
    text.parse()
        .map_err(|error| Exit::Wrong(format!("${FILTER} is `{text}`: expected a filter such as `guest=debug,parshall=info` ({error})")))
}

/// What a word may be that stands alone.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
/// Whoever speaks to our users.
const TARGETS: [&str; 2] = ["guest", "parshall"];

/// A filter takes any word for a target, and one that nobody speaks as silences all others: a slip must not do that.
fn understood(filter: &str) -> Result<(), String> {
    // Fields of spans have commas of their own; whoever writes those knows what they do.
    if filter.contains(['[', '{']) {
        return Ok(());
    }
    for word in filter.split(',').map(str::trim).filter(|word| !word.is_empty() && !word.contains('=')) {
        let level = LEVELS.iter().any(|level| word.eq_ignore_ascii_case(level)) || matches!(word.as_bytes(), [b'0'..=b'5']);
        if level || TARGETS.contains(&word) || word.starts_with("parshall::") {
            continue;
        }
        let meant = nearest(word, LEVELS.into_iter().chain(TARGETS)).map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
        return Err(format!(
            "${FILTER} is `{filter}`: `{word}` is neither a level ({}) nor `guest` or `parshall`{meant} (the level of another target \
             stands after it, as in `hyper=debug`)",
            LEVELS.join(", ")
        ));
    }
    Ok(())
}

fn terminal() -> bool {
    use std::io::IsTerminal as _;
    std::io::stderr().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against a slip that silences everything, warnings of the host included.
    #[test]
    fn a_word_that_is_no_level_and_nobody_of_ours_is_refused() {
        for (wrong, meant) in
            [("wran", "`warn`"), ("warning", "`warn`"), ("guest=debug,inof", "`info`"), ("gest", "`guest`"), ("debgu", "`debug`")]
        {
            let told = understood(wrong).unwrap_err();
            assert!(told.contains(&format!("did you mean {meant}?")), "{told}");
        }
        assert!(understood("xyzzy").unwrap_err().contains("`xyzzy` is neither a level"));
        for right in ["warn", "WARN", "off", "0", "guest", "parshall::wasm,guest=info", "hyper=trace, warn,", "guest[{a=1,b}]=info"] {
            assert_eq!(understood(right), Ok(()), "{right}");
        }
    }
}
