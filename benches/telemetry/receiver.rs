//! A live receiver of OTLP: `tests/servers/run receiver`, where it is installed.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

/// One that runs; gone when it is dropped.
pub struct Receiver {
    process: Option<Child>,
    /// Of OTLP over HTTP.
    pub endpoint: String,
}

impl Receiver {
    /// Somebody's own, if `OTEL_EXPORTER_OTLP_ENDPOINT` names it; otherwise the project's, which takes what comes and keeps
    /// nothing. It stands back for whatever is measured: a collector is on another machine, most often.
    pub fn start() -> Result<Self, String> {
        if let Ok(endpoint) = std::env::var("OTEL_EXPORTER_OTLP_ENDPOINT") {
            return Ok(Receiver { process: None, endpoint });
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/servers/run");
        let mut command = Command::new("nice");
        command.args(["-n", "19", script, "receiver", "/dev/null"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().map_err(|error| format!("`nice` cannot be run: {error}"))?;
        let said = BufReader::new(process.stdout.take().expect("piped")).lines().map_while(Result::ok);
        let ready = said.filter(|line| line.starts_with("ready ")).find_map(|line| line.split(' ').nth(2).map(str::to_owned));
        match ready {
            Some(endpoint) => Ok(Receiver { process: Some(process), endpoint }),
            None => {
                let _ = process.wait();
                Err("no receiver of OTLP; `tests/servers/install python` brings one".into())
            }
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
