//! A receiver of OTLP that is not ours: `tests/servers/receiver.py`, installed by the project's script.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::binary::{folder, project};

/// A receiver that runs. It ends when this is dropped.
pub struct Receiver {
    process: Child,
    folder: TempDir,
    /// Its HTTP port.
    pub http: u16,
    /// Its gRPC port, where it has one.
    pub grpc: Option<u16>,
}

// === impl Receiver ===

impl Receiver {
    /// Starts one; with a printed reason, none where it cannot be installed.
    pub fn start() -> Option<Self> {
        if let Err(why) = installed() {
            println!("skipped: the receiver cannot be installed: {why}");
            return None;
        }
        let folder = folder();
        let mut process = Command::new(project("tests/servers/run"))
            .arg("receiver")
            .arg(folder.path().join("received"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let ports: Value = serde_json::from_str(&lines.next().expect("it says its ports").unwrap()).unwrap();
        let ready = lines.next().expect("it starts").unwrap();
        assert!(ready.starts_with("ready receiver"), "{ready}");
        let port = |name: &str| ports[name].as_u64().map(|port| port as u16);
        Some(Receiver { http: port("http").unwrap(), grpc: port("grpc"), process, folder })
    }

    /// The endpoint of OTLP over HTTP.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.http)
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Makes it behave, or misbehave.
    pub fn control(&self, how: &str) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.http)).unwrap();
        let length = how.len();
        write!(stream, "POST /control HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{how}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// Every log record that it was sent, each with its `resource` and `scope`.
    pub fn logs(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.received()).unwrap_or_default();
        let requests = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).filter(|line| line["signal"] == "logs");
        let mut records = Vec::new();
        for request in requests {
            for of in request["request"]["resourceLogs"].as_array().unwrap() {
                for scope in of["scopeLogs"].as_array().unwrap() {
                    for record in scope["logRecords"].as_array().unwrap() {
                        let mut record = record.clone();
                        record["resource"] = of["resource"].clone();
                        record["scope"] = scope["scope"].clone();
                        records.push(record);
                    }
                }
            }
        }
        records
    }

    fn received(&self) -> PathBuf {
        self.folder.path().join("received")
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Installs it, once for all tests.
fn installed() -> Result<(), String> {
    static INSTALLED: OnceLock<Result<(), String>> = OnceLock::new();
    let install = || {
        let output = Command::new(project("tests/servers/install")).arg("python").output().map_err(|error| error.to_string())?;
        output.status.success().then_some(()).ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())
    };
    INSTALLED.get_or_init(install).clone()
}

/// An attribute in OTLP's JSON, whatever its type, as text.
pub fn attribute(of: &Value, name: &str) -> Option<String> {
    let pair = of["attributes"].as_array()?.iter().find(|pair| pair["key"] == name)?;
    let (_, value) = pair["value"].as_object()?.iter().next()?;
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// An id, which protobuf's JSON has in base64, in hexadecimal.
pub fn hex(base64: &Value) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut hex) = (0_u32, 0, String::new());
    for digit in base64.as_str().unwrap_or_default().bytes().filter(|byte| *byte != b'=') {
        bits = bits << 6 | DIGITS.iter().position(|known| *known == digit).unwrap() as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            hex.push_str(&format!("{:02x}", bits >> count & 0xff));
        }
    }
    hex
}
