//! Live receivers of OTLP: the project's, which decodes what it is sent (`tests/servers/run receiver`, where it is installed), and this
//! program itself as another process, which takes what it is sent and answers.
//!
//! A collector is on another machine, most often. The project's receiver, in Python, takes a hundred times as long to read a span as it
//! takes to send one, so on two processors it is what one would measure. The other one takes next to nothing.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

/// The variable that makes this program a receiver.
const BE_ONE: &str = "PARSHALL_BENCH_RECEIVER";

/// One that runs; gone when it is dropped.
pub struct Receiver {
    process: Option<Child>,
    /// Of OTLP over HTTP.
    pub endpoint: String,
}

impl Receiver {
    /// One that takes next to nothing of this machine's processors.
    pub fn light() -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let spawned = Command::new(program).env(BE_ONE, "1").stdout(Stdio::piped()).spawn();
        let mut process = spawned.map_err(|error| error.to_string())?;
        let mut endpoint = String::new();
        let said = BufReader::new(process.stdout.take().expect("piped")).read_line(&mut endpoint);
        said.map_err(|error| error.to_string())?;
        Ok(Receiver { process: Some(process), endpoint: endpoint.trim().to_owned() })
    }

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

/// Is the receiver, if this process was started to be it.
pub fn be_one() {
    if std::env::var_os(BE_ONE).is_none() {
        return;
    }
    println!("{}", parshall::telemetry::otlp::sink::listen().expect("a port"));
    loop {
        std::thread::park();
    }
}
