//! How the command ends.

use std::{fmt, io::Write as _, process::ExitCode};

use crate::pipeline::{
    diagnostic::{self, Diagnostic, Severity},
    run::Outcome,
};

/// Why the command did not end well.
#[derive(Debug)]
pub enum Exit {
    /// The run failed; what there is to say has been said. Exit code 1.
    Failed,
    /// Something of the machine failed. Exit code 1.
    Broken(anyhow::Error),
    /// The pipeline file is wrong, rendered. Exit code 2.
    Diagnostics(String),
    /// An argument is wrong. Exit code 2.
    Wrong(String),
}

impl Exit {
    /// The complaints about a pipeline file.
    pub fn diagnostics(diagnostics: &[Diagnostic], colour: bool) -> Self {
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
        let rest = if errors == 1 { "1 error".to_owned() } else { format!("{errors} errors") };
        Exit::Diagnostics(format!("{}\n{rest}; nothing was run\n", diagnostic::render_all(diagnostics, colour).trim_end()))
    }

    /// Says what is left to say and gives the exit code.
    pub fn report(self) -> ExitCode {
        match self {
            Exit::Failed => ExitCode::from(1),
            Exit::Broken(error) => {
                tell(format_args!("error: {error:#}"));
                ExitCode::from(1)
            }
            Exit::Diagnostics(text) => {
                tell(format_args!("{}", text.trim_end_matches('\n')));
                ExitCode::from(2)
            }
            Exit::Wrong(message) => {
                tell(format_args!("error: {message}"));
                ExitCode::from(2)
            }
        }
    }
}

impl From<anyhow::Error> for Exit {
    fn from(error: anyhow::Error) -> Self {
        Exit::Broken(error)
    }
}

/// Prints to standard output. A reader that has seen enough (`| head`) is no error.
pub fn print(text: &str) -> Result<(), Exit> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Exit::Broken(error.into())),
        _ => Ok(()),
    }
}

/// How the command ends when its run has ended so.
pub fn of(outcome: Outcome) -> Result<(), Exit> {
    match outcome {
        Outcome::Completed | Outcome::Stopped => Ok(()),
        Outcome::Failed | Outcome::Aborted => Err(Exit::Failed),
    }
}

/// Tells a person, on standard error. It may be a terminal that has closed: then there is nobody, and that must not end what goes on.
pub fn tell(text: fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
