//! A run that is looked at and changed while it runs: by HTTP, by command, by signal, by files that change.

mod commands;
mod graph;
mod page;
mod port;
mod triggers;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    binary::{Ran, folder, parshall, pipeline, signal},
    components,
    http::{self, Answer},
};

/// How long anything may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// The token of runs whose port is asked by hand.
pub const TOKEN: &str = "a-token-that-only-tests-know";

/// A component, and the same with another digest: a custom section more.
pub fn version(name: &str, number: u8) -> Vec<u8> {
    let mut bytes = fs::read(components::path(name)).unwrap();
    if number > 0 {
        bytes.extend([0, 6, 4, b't', b'e', b's', b't', number]);
    }
    bytes
}

/// A pipeline file that runs for days: numbers → doubled → end, with the component of `doubled` beside it.
pub fn endless() -> TempDir {
    let here = folder();
    fs::write(here.path().join("double.wasm"), version("testing/double", 0)).unwrap();
    write_pipeline(&here, "double.wasm", "{ column = \"n\" }", "");
    here
}

/// Writes the pipeline file. The load keeps nothing.
pub fn write_pipeline(here: &TempDir, component: &str, config: &str, more: &str) -> PathBuf {
    pipeline(
        here,
        &format!(
            "name = \"lively\"\n{more}\n[extract.numbers]\ncomponent = \"{}\"\nconfig = {{ rows = 1_000_000_000_000, batch_rows = 1024 }}\n\
             [transform.doubled]\ninputs = [\"numbers\"]\ncomponent = \"{component}\"\nconfig = {config}\n\
             [load.end]\ninputs = [\"doubled\"]\ncomponent = \"{}\"\n",
            components::path("testing/generate").display(),
            components::path("testing/collect").display(),
        ),
    )
}

/// A command that finds the runs of this folder and no other.
pub fn command(here: &Path, arguments: &[&str]) -> Command {
    let mut command = parshall();
    command.current_dir(here).args(arguments).env("XDG_RUNTIME_DIR", here.join("runtime")).env_remove("PARSHALL_ADMIN_TOKEN");
    command
}

/// A run under way.
pub struct Live {
    child: Child,
    here: PathBuf,
    said: Arc<Mutex<String>>,
}

impl Live {
    /// Starts one, and waits until its rows flow, if it has an admin port.
    pub fn start(here: &TempDir, arguments: &[&str]) -> Self {
        let folder = here.path();
        fs::create_dir_all(folder.join("runtime")).unwrap();
        let mut command = command(folder, &["run", "pipeline.toml", "--report", "json", "--progress", "never"]);
        let mut child = command
            .args(arguments)
            .env("PARSHALL_ADMIN_TOKEN", TOKEN)
            .env("PARSHALL_LOG_FORMAT", "json")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::<Mutex<String>>::default();
        let (err, to) = (BufReader::new(child.stderr.take().unwrap()), Arc::clone(&said));
        thread::spawn(move || err.lines().map_while(Result::ok).for_each(|line| to.lock().unwrap().push_str(&(line + "\n"))));
        let live = Live { child, here: folder.to_owned(), said };
        if arguments.iter().any(|argument| argument.starts_with("--admin")) {
            live.until("rows flow", |status| status["stages"][2]["rows_in"].as_u64() > Some(0));
        }
        live
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has said so far on standard error.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Runs a command of `parshall` about it.
    pub fn ask(&self, arguments: &[&str]) -> Ran {
        Ran(command(&self.here, arguments).output().unwrap())
    }

    /// The file in which it is registered.
    pub fn registered(&self) -> PathBuf {
        self.here.join("runtime/parshall").join(format!("{}.json", self.pid()))
    }

    /// Where its admin port is.
    pub fn addr(&self) -> String {
        let entry: Value = serde_json::from_slice(&fs::read(self.registered()).unwrap()).unwrap();
        entry["addr"].as_str().unwrap().to_owned()
    }

    /// Asks its port with the right token.
    pub fn http(&self, method: &str, path: &str, body: &str) -> Answer {
        let headers = format!("Authorization: Bearer {TOKEN}\r\nContent-Length: {}\r\n", body.len());
        http::request_with(&self.addr(), method, path, &headers, body).expect("an answer")
    }

    /// The JSON at a path.
    pub fn json(&self, path: &str) -> Value {
        let answer = self.http("GET", path, "");
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// Waits until its status is as wanted.
    pub fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        wait(what, || {
            let status = self.registered().exists().then(|| self.json("/v1/status"));
            status.filter(|status| wanted(status)).ok_or_else(|| self.said())
        })
    }

    /// The generation that `doubled` runs.
    pub fn generation(&self) -> u64 {
        self.json("/v1/status")["stages"][1]["generation"].as_u64().unwrap()
    }

    /// Waits until it has said something.
    pub fn until_said(&self, text: &str) {
        wait(text, || if self.said().contains(text) { Ok(()) } else { Err(self.said()) });
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        assert!(signal(self.pid(), name));
    }

    /// Ends it by Ctrl-C: its report. No row may be lost, whatever was changed.
    pub fn end(mut self) -> Value {
        self.signal("-INT");
        let out = std::io::read_to_string(self.child.stdout.take().unwrap()).unwrap();
        let status = wait("the end", || self.child.try_wait().unwrap().ok_or_else(|| self.said()));
        let report: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{}", self.said()));
        assert_eq!((status.code(), report["outcome"].as_str()), (Some(0), Some("stopped")), "{}", self.said());
        assert!(!self.registered().exists(), "a run that is over is not listed");
        let [numbers, doubled, end, ..] = report["stages"].as_array().unwrap().as_slice() else { panic!("{report:#}") };
        let made = &numbers["rows"]["out"];
        assert_eq!((&doubled["rows"]["in"], &end["receipt"]["rows"]), (made, made), "every row arrives once");
        report
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until there is an answer, but not for ever.
pub fn wait<T>(what: &str, mut answer: impl FnMut() -> Result<T, String>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        match answer() {
            Ok(answer) => return answer,
            Err(why) => assert!(Instant::now() < until, "{what}: waited for {PATIENCE:?}\n{why}"),
        }
        thread::sleep(Duration::from_millis(20));
    }
}
