//! A receiver of OTLP over HTTP that takes what it is sent, looks at nothing, and answers: it costs this machine next to nothing, as
//! one on another machine would. For measurements of what exporting costs whoever exports.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

/// Listens on a free port of loopback, as long as this process lives; answers its endpoint.
pub fn listen() -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    thread::Builder::new().name("sink".into()).spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || take(stream));
        }
    })?;
    Ok(endpoint)
}

/// Every request of a connection, until it ends.
fn take(stream: TcpStream) {
    let mut reader = BufReader::with_capacity(1 << 18, &stream);
    let (mut line, mut length) = (String::new(), 0);
    while {
        line.clear();
        reader.read_line(&mut line).is_ok_and(|read| read > 0)
    } {
        if let Some(told) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = told.trim().parse().unwrap_or(0);
        }
        if line == "\r\n" {
            let taken = io::copy(&mut (&mut reader).take(length), &mut io::sink());
            let answered = (&stream).write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
            if taken.is_err() || answered.is_err() {
                return;
            }
        }
    }
}
