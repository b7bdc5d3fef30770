//! The real servers of `tests/servers`: started for one test, gone with it, asked over HTTP.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::binary::project;

/// A server that runs.
pub struct Server {
    child: Child,
    /// `HOST:PORT`.
    pub addr: String,
}

/// Where `tests/servers/install` has put a server; tells why a test is skipped where it has not.
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
        // Its log goes nowhere: a pipe that nobody reads would stop it.
        let mut child = command.arg(name).args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = format!("ready {name} http://");
        let addr = lines.map_while(Result::ok).find_map(|line| line.strip_prefix(&ready).map(str::to_owned));
        Some(Server { child, addr: addr.unwrap_or_else(|| panic!("{name} did not start")) })
    }

    /// The values of a query to Prometheus, now.
    pub fn query(&self, expression: &str) -> Vec<f64> {
        let body = get(&self.addr, &format!("/api/v1/query?query={}", encoded(expression)));
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

/// Asks in HTTP/1.0, so that the answer comes in one piece; answers its body.
fn get(addr: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {addr}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
}

/// Everything but letters and digits as `%XX`.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { (byte as char).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Asks until there is an answer, for at most half a minute.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        thread::sleep(Duration::from_millis(250));
    }
    println!("waited half a minute for {what}");
    None
}
