//! What the command logs, and in which form: text on a terminal, JSON lines elsewhere, unless somebody says otherwise.

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use super::Exit;
use crate::telemetry::logs::{self, Form};

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
        0 => "warn,guest=info",
        1 => "info,guest=debug",
        _ => "debug,guest=trace",
    };
    let text = std::env::var(FILTER).ok().filter(|text| !text.is_empty());
    let text = text.as_deref().unwrap_or(default);
    text.parse()
        .map_err(|error| Exit::Wrong(format!("${FILTER} is `{text}`: expected a filter such as `guest=debug,parshall=info` ({error})")))
}

fn terminal() -> bool {
    use std::io::IsTerminal as _;
    std::io::stderr().is_terminal()
}
