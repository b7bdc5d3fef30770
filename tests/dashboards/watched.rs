//! Runs that are watched: one that goes on until it is told to stop, one that ends well, one that fails.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
    thread,
};

use tempfile::TempDir;

use crate::server::Server;
use crate::{
    binary::{Ran, folder, parshall, pipeline},
    components,
};

/// A pipeline in a folder of its own.
pub struct Watched(TempDir);

/// A run whose metrics are served.
pub struct Serving {
    child: Child,
    /// `HOST:PORT`.
    pub addr: String,
    /// Goes with it.
    _folder: TempDir,
}

impl Watched {
    /// Makes numbers for days, counts for itself, and loads.
    pub fn endless() -> Self {
        Watched::of("endless", 1_000_000_000_000, "flood", "times = 2")
    }

    /// The same for a moment.
    pub fn short(name: &str) -> Self {
        Watched::of(name, 100_000, "flood", "times = 2")
    }

    /// Traps on its first batch.
    pub fn failing(name: &str) -> Self {
        Watched::of(name, 100_000, "hostile", "mode = \"trap\"")
    }

    fn of(name: &str, rows: u64, work: &str, config: &str) -> Self {
        let here = folder();
        let component = |name: &str| components::path(&format!("testing/{name}")).canonicalize().unwrap().display().to_string();
        let text = format!(
            r#"
            name = "{name}"
            [delivery]
            checkpoint = "500ms"
            [extract.numbers]
            component = "{}"
            config = {{ rows = {rows}, batch_rows = 1024 }}
            [transform.work]
            inputs = ["numbers"]
            component = "{}"
            config = {{ {config} }}
            grants = {{ telemetry = true }}
            [load.end]
            inputs = ["work"]
            component = "{}""#,
            component("generate"),
            component(work),
            component("collect")
        );
        pipeline(&here, &text);
        Watched(here)
    }

    fn command(&self) -> Command {
        let mut command = parshall();
        command.current_dir(self.0.path()).args(["run", "pipeline.toml", "--report", "none", "--progress", "never"]);
        command.env("PARSHALL_STATE_DIR", self.0.path().join("state"));
        // Guests that talk are not the point.
        command.env("PARSHALL_LOG", "parshall=info,guest=off");
        command
    }

    /// Runs it to its end, which it tells a Pushgateway.
    pub fn push(&self, gateway: &Server) -> Ran {
        let url = format!("http://{}", gateway.addr);
        Ran(self.command().args(["--metrics-addr", "off", "--push-gateway", &url]).output().unwrap())
    }

    /// Starts it, with its metrics on a free port.
    pub fn serve(self) -> Serving {
        let mut command = self.command();
        let mut child = command.args(["--metrics-addr", "127.0.0.1:0"]).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let addr = loop {
            assert!(stderr.read_line(&mut said).unwrap() > 0, "no address was told: {said}");
            if let Some((_, rest)) = said.split_once("http://") {
                break rest.split('/').next().unwrap().to_owned();
            }
        };
        // A pipe that nobody reads would stop it.
        thread::spawn(move || stderr.read_to_string(&mut said));
        Serving { child, addr, _folder: self.0 }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
