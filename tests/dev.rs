//! `parshall dev`: every change of a project is built, swapped into the pipeline that runs, and shown.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read},
    path::Path,
    process::{Child, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    binary::{folder, parshall, pipeline, run, signal},
    languages,
};

/// How long a build and a swap may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// The command at work, and what it has said.
struct Dev {
    child: Child,
    said: Arc<Mutex<String>>,
    listeners: Vec<JoinHandle<()>>,
}

// === impl Dev ===

impl Dev {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = parshall();
        command.current_dir(folder).arg("dev").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = Arc::<Mutex<String>>::default();
        let listen = |from: Box<dyn Read + Send>| {
            let to = Arc::clone(&said);
            thread::spawn(move || {
                BufReader::new(from).lines().map_while(Result::ok).for_each(|line| to.lock().unwrap().push_str(&(line + "\n")))
            })
        };
        let (out, err): (Box<dyn Read + Send>, Box<dyn Read + Send>) =
            (Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap()));
        let listeners = [out, err].map(listen).into();
        Dev { child, said, listeners }
    }

    /// Waits until it has said all of these, and answers what it has said since the last time.
    fn until(&mut self, wanted: &[&str]) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let said = self.said.lock().unwrap().clone();
            if wanted.iter().all(|wanted| said.contains(wanted)) {
                self.said.lock().unwrap().clear();
                return said;
            }
            assert!(self.child.try_wait().unwrap().is_none() && Instant::now() < until, "{wanted:?} is not in:\n{said}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ctrl-C, and what it said then.
    fn interrupt(mut self) -> (bool, String) {
        signal(self.child.id(), "-INT");
        let ended = self.child.wait().unwrap().success();
        self.listeners.drain(..).for_each(|listener| listener.join().unwrap());
        (ended, self.said.lock().unwrap().clone())
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A project in C, if there is a compiler for it.
fn project() -> Option<TempDir> {
    if !languages::has_compiler_for_c() {
        eprintln!("no compiler for C is here: this is tried by .ci/run languages");
        return None;
    }
    let here = folder();
    run(here.path(), &["new", "greet", "--lang", "c"]).ok();
    Some(here)
}

fn edit(here: &TempDir, from: &str, to: &str) {
    let path = here.path().join("greet/stage.c");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

/// Protects whoever develops a stage: what they write is what runs a moment later, and a mistake stops nothing.
#[test]
fn a_stage_is_rebuilt_and_swapped_into_what_runs() {
    let Some(here) = project() else { return };
    let extract = "[extract.numbers]\ncomponent = \"std:generate\"\n\
                   config = { rate = 2000, batch_rows = 100, columns = { n = { kind = \"sequence\", start = 1 } } }\n";
    let load =
        "[load.out]\ncomponent = \"std:write\"\ninputs = [\"greet\"]\nconfig = { to = \"out.csv\" }\ngrants = { write = [\"out.csv\"] }\n";
    let stage = |path: &str| format!("[transform.greet]\ncomponent = \"{path}\"\ninputs = [\"numbers\"]\n");
    pipeline(&here, &format!("{extract}{}{load}", stage("greet/build/greet.wasm")));
    let mut dev = Dev::start(here.path(), &["greet", "--pipeline", "pipeline.toml", "--rows", "2"]);
    let shown = dev.until(&["greet.out, generation 1: ", " 4\n"]);
    assert!(shown.contains("greet/build/greet.wasm: "), "{shown}");

    edit(&here, "*= 2", "*= 1000");
    let shown = dev.until(&["stage.c has changed", "greet: swapped, generation 2 took over, pause ", "greet.out, generation 2: ", "000\n"]);
    assert!(!shown.contains("error"), "{shown}");

    edit(&here, "*= 1000", "*= nothing");
    dev.until(&["stage.c has changed", "error: ", "nothing"]);
    edit(&here, "*= nothing", "*= 7");
    dev.until(&["greet: swapped, generation 3 took over"]);

    let (ended, said) = dev.interrupt();
    assert!(ended && said.contains("greet: ") && said.contains("rows in"), "{said}");
    let out = fs::read_to_string(here.path().join("out.csv")).unwrap();
    let (first, last) = (out.lines().nth(1).unwrap(), out.lines().last().unwrap().parse::<u64>().unwrap());
    assert!(first == "2" && last % 7 == 0, "the pipeline ran through, and was committed: {first} to {last}");

    pipeline(&here, &format!("{extract}{}{load}", stage("other.wasm")));
    fs::copy(here.path().join("greet/build/greet.wasm"), here.path().join("other.wasm")).unwrap();
    let mut dev = Dev::start(here.path(), &["greet", "--pipeline", "pipeline.toml"]);
    let told = dev.until(&["no stage of `pipeline.toml` runs what is built here"]);
    assert!(told.contains("write `component = \"") && told.contains("greet/build/greet.wasm\"`"), "{told}");
}

/// Protects whoever has no pipeline yet: the project's cases are tried after every build.
#[test]
fn without_a_pipeline_its_cases_are_tried() {
    let Some(here) = project() else { return };
    let mut dev = Dev::start(&here.path().join("greet"), &[]);
    dev.until(&["1 passed, 0 failed"]);
    edit(&here, "*= 2", "*= 3");
    dev.until(&["stage.c has changed", "0 passed, 1 failed"]);
    let (ended, _) = dev.interrupt();
    assert!(ended);
    let nothing = run(here.path(), &["dev"]).fails(2);
    assert!(nothing.contains("stage.toml") && nothing.contains("parshall new"), "{nothing}");
}
