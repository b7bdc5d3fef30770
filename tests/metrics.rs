//! Metrics as others see them: scraped, pushed, read back from real servers, and held against TELEMETRY.md.

mod exemplars;
mod exemplars_found;
mod exports;
mod pushes;
mod schema;
mod scrapes;
mod served;
pub mod text;

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    binary::{folder, parshall, pipeline, signal},
    components, http,
};

/// A pipeline of generated rows: so many of them, through so many stages as the text has.
fn generated(rows: u64, stages: &str) -> TempDir {
    let here = folder();
    let text = format!(
        "name = \"generated\"\n[extract.numbers]\ncomponent = \"{}\"\nconfig = {{ rows = {rows}, batch_rows = 1024 }}\n{stages}",
        components::path("testing/generate").display()
    );
    pipeline(&here, &text);
    here
}

/// A stage of a test's component.
fn stage(kind: &str, name: &str, input: &str, component: &str, config: &str) -> String {
    let path = components::path(&format!("testing/{component}"));
    format!("[{kind}.{name}]\ninputs = [\"{input}\"]\ncomponent = \"{}\"\nconfig = {{ {config} }}\n", path.display())
}

/// A pipeline that would run for days: two instances of a stage, and a load.
fn endless() -> TempDir {
    let doubled = stage("transform", "doubled", "numbers", "double", "column = \"n\"") + "instances = 2\n";
    generated(1_000_000_000_000, &(doubled + &stage("load", "end", "doubled", "collect", "")))
}

/// `parshall run pipeline.toml` with metrics as they are by default, and nothing of OpenTelemetry.
fn command(folder: &TempDir) -> Command {
    let mut command = parshall();
    command.current_dir(folder.path()).args(["run", "pipeline.toml", "--report", "none", "--progress", "never"]);
    command.env_remove("PARSHALL_METRICS_ADDR");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OTEL_")) {
        command.env_remove(name);
    }
    command
}

/// A run whose metrics are served on a free port.
struct Running {
    child: Child,
    addr: String,
    said: Option<thread::JoinHandle<String>>,
}

impl Running {
    /// Starts it, and waits until it is ready.
    fn start(command: &mut Command) -> Self {
        let mut child = command.args(["-v", "--metrics-addr", "127.0.0.1:0"]).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let addr = loop {
            assert!(stderr.read_line(&mut said).unwrap() > 0, "no address was told: {said}");
            if let Some((_, rest)) = said.split_once("http://") {
                break rest.split('/').next().unwrap().to_owned();
            }
        };
        // A pipe that nobody reads would stop it.
        let said = thread::spawn(move || {
            let _ = stderr.read_to_string(&mut said);
            said
        });
        let running = Running { child, addr, said: Some(said) };
        until("ready", || (http::get(&running.addr, "/readyz").0 == 200).then_some(()));
        running
    }

    fn scrape(&self) -> text::Scraped {
        text::Scraped::read(&http::get(&self.addr, "/metrics").1)
    }

    /// As Ctrl-C would; answers what it said on standard error.
    fn stop(mut self) -> String {
        assert!(signal(self.child.id(), "-INT"));
        let status = until("end", || self.child.try_wait().unwrap());
        let said = self.said.take().unwrap().join().unwrap();
        assert!(status.success(), "{said}");
        said
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until there is an answer, for at most a minute.
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited a minute for: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}
