//! The real servers of `tests/servers`: started for one test, gone with it.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::{binary::project, http};

/// A server that runs.
pub struct Server {
    child: Child,
    /// `HOST:PORT`
    pub addr: String,
    /// What it printed before it was ready.
    pub said: String,
}

/// Where `tests/servers/install` has put things.
pub fn installed(name: &str) -> Option<PathBuf> {
    let cache = std::env::var_os("PARSHALL_SERVERS").map_or_else(|| project("target/servers"), PathBuf::from);
    let there = cache.join(name).join(".version").is_file();
    if !there {
        println!("skipped: {name} is not installed; tests/servers/install {name}");
    }
    there.then(|| cache.join(name))
}

impl Server {
    /// Starts one, if it is installed.
    pub fn start(name: &str, arguments: &[&str]) -> Option<Self> {
        installed(if name == "receiver" { "python" } else { name })?;
        let mut command = Command::new(project("tests/servers/run"));
        let mut child = command.arg(name).args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        let addr = loop {
            assert!(stdout.read_line(&mut said).unwrap() > 0, "{name} did not start: {said}");
            if let Some((_, addr)) =
                said.lines().last().filter(|line| line.starts_with("ready")).and_then(|line| line.split_once("http://"))
            {
                break addr.trim().to_owned();
            }
        };
        Some(Server { child, addr, said })
    }
}

impl Server {
    /// The values of a query to Prometheus, now.
    pub fn query(&self, expression: &str) -> Vec<f64> {
        let (_, body) = http::get(&self.addr, &format!("/api/v1/query?query={}", http::encoded(expression)));
        let answer: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{expression}: {error}: {body}"));
        assert_eq!(answer["status"], "success", "{expression}: {body}");
        let series = answer["data"]["result"].as_array().unwrap();
        series.iter().map(|series| series["value"][1].as_str().unwrap().parse().unwrap()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Gives a text to a program of a server's package, such as `promtool check metrics`, and answers whether it found it well.
pub fn check(package: &str, program: &str, arguments: &[&str], text: &str) -> Option<()> {
    let mut command = Command::new(installed(package)?.join(program));
    let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{program}: {}\n{text}", String::from_utf8_lossy(&said));
    Some(())
}

/// What `promtool check metrics` would complain of.
pub fn promtool(text: &str) -> Option<()> {
    check("prometheus", "usr/bin/promtool", &["check", "metrics"], text)
}

/// Reads OpenMetrics with a parser that is not ours.
pub fn parse_openmetrics(text: &str) -> Option<()> {
    const READ: &str = "import sys\nfrom prometheus_client.openmetrics.parser import text_string_to_metric_families as read\n\
                        n = sum(len(family.samples) for family in read(sys.stdin.read()))\nassert n > 3, n";
    check("python", "bin/python", &["-c", READ], text)
}
