//! The built command, and folders to run it in.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// A path of the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path)
}

/// `parshall`, with a cache of components that the tests share.
pub fn parshall() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parshall"));
    command.env("PARSHALL_CACHE", std::env::temp_dir().join("parshall-test-components")).env_remove("PARSHALL_LOG");
    // Tests run side by side, and only one can have the port.
    command.env("PARSHALL_METRICS_ADDR", "off");
    // Nothing of a test stays behind.
    command.env("PARSHALL_STATE_DIR", "off");
    command
}

/// What came of running `parshall` in a folder.
pub fn run(folder: &Path, arguments: &[&str]) -> Ran {
    Ran(parshall().current_dir(folder).args(arguments).output().expect("parshall starts"))
}

/// Sends a process a signal; answers whether it was there.
pub fn signal(process: u32, name: &str) -> bool {
    Command::new("kill").args([name, &process.to_string()]).stderr(Stdio::null()).status().unwrap().success()
}

/// What came of a command.
pub struct Ran(pub Output);

// === impl Ran ===

impl Ran {
    /// Standard output of a command that ended well.
    pub fn ok(self) -> String {
        assert!(self.0.status.success(), "{}: {}", self.0.status, self.err());
        self.out()
    }

    /// Standard error of a command that ended with this code.
    pub fn fails(self, code: i32) -> String {
        assert_eq!(self.code(), code, "{}\n{}", self.out(), self.err());
        self.err()
    }

    /// Standard output of a command that ended well, as JSON.
    pub fn json(self) -> Value {
        let text = self.ok();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The exit code.
    pub fn code(&self) -> i32 {
        self.0.status.code().expect("ended by itself")
    }

    /// Standard output.
    pub fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    /// Standard error.
    pub fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }
}

/// An empty folder that goes when it is dropped.
pub fn folder() -> TempDir {
    tempfile::Builder::new().prefix("parshall-test-").tempdir().unwrap()
}

/// A copy of an example, without what an earlier run has put out.
pub fn example(name: &str) -> TempDir {
    let copy = folder();
    copy_all(&project("examples").join(name), copy.path());
    copy
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.file_name() != "out") {
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy_all(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// Writes a pipeline file.
pub fn pipeline(folder: &TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("pipeline.toml");
    fs::write(&path, text).unwrap();
    path
}
