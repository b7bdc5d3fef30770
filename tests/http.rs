//! As much of HTTP as a test needs.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

/// An answer: its status, its headers in lower case, its body.
pub struct Answer {
    pub status: u16,
    pub headers: String,
    pub body: String,
}

/// A request in HTTP/1.0, so that the answer comes in one piece and the connection ends with it.
pub fn request(addr: &str, method: &str, path: &str, headers: &str) -> Option<Answer> {
    request_with(addr, method, path, &format!("Host: {addr}\r\n{headers}"), "")
}

/// The same with a body. The header `Host` is added where there is none.
pub fn request_with(addr: &str, method: &str, path: &str, headers: &str, body: &str) -> Option<Answer> {
    let host = if headers.contains("Host: ") { String::new() } else { format!("Host: {addr}\r\n") };
    let mut stream = TcpStream::connect(addr).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    write!(stream, "{method} {path} HTTP/1.0\r\n{host}{headers}\r\n{body}").ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, headers: head.to_ascii_lowercase(), body: body.to_owned() })
}

/// Status and body; 0 if there is no answer.
pub fn get(addr: &str, path: &str) -> (u16, String) {
    request(addr, "GET", path, "").map_or_else(Default::default, |answer| (answer.status, answer.body))
}

/// What a query needs: everything but letters and digits as `%XX`.
pub fn encoded(text: &str) -> String {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { (byte as char).to_string() } else { format!("%{byte:02X}") }).collect()
}
