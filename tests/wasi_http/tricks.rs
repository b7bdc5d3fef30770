//! Ways around a grant of servers: spellings of hosts, parts of a URL in the wrong place, lines smuggled into a request. A server that is
//! not granted listens, and must not be connected to.

use std::sync::atomic::Ordering;

use parshall::words::grants::Grants;

use super::{HELLO, Server, ask};
use crate::wasi::{ParseAuthority as _, outside};

/// A server that is granted, by its address, and one that is not.
struct Two {
    granted: Server,
    other: Server,
}

impl Two {
    fn new() -> Self {
        Two { granted: Server::answering(HELLO), other: Server::answering(HELLO) }
    }

    /// Beside the granted server names at the other's port, so that it is the host that is judged.
    fn grants(&self) -> Grants {
        let other = self.other.port();
        let hosts = [self.granted.address.to_string(), format!("example.invalid:{other}"), format!("*.example.invalid:{other}")];
        Grants { http: hosts.iter().map(|host| host.parse_authority()).collect(), ..outside() }
    }

    /// The answer to a request, in which `GRANTED` and `OTHER` stand for the servers' addresses and `PORT` for the other's port.
    fn ask(&self, request: &str) -> String {
        let request = request.replace("GRANTED", &self.granted.address.to_string());
        let request = request.replace("OTHER", &self.other.address.to_string()).replace("PORT", &self.other.port().to_string());
        ask("raw", &request, self.grants())
    }

    fn heard(&self) -> String {
        std::mem::take(&mut *self.granted.heard.lock().unwrap())
    }

    fn other_was_reached(&self) -> bool {
        self.other.connections.load(Ordering::Relaxed) > 0
    }
}

/// Protects what is not granted against every spelling of its address, and of names that are granted.
#[test]
fn no_spelling_of_a_host_leads_elsewhere() {
    let two = Two::new();
    for authority in [
        "127.0.0.1:PORT",
        "127.1:PORT",
        "127.0.1:PORT",
        "2130706433:PORT",
        "0x7f000001:PORT",
        "0X7F.0.0.1:PORT",
        "0x7f.1:PORT",
        "0177.0.0.1:PORT",
        "017700000001:PORT",
        "127.0.0.1.:PORT",
        "127.000.000.001:PORT",
        "127%2e0%2e0%2e1:PORT",
        "%31%32%37.0.0.1:PORT",
        "0:PORT",
        "0.0.0.0:PORT",
        "[::1]:PORT",
        "[::]:PORT",
        "[::ffff:127.0.0.1]:PORT",
        "[::ffff:7f00:1]:PORT",
        "[0:0:0:0:0:ffff:7f00:0001]:PORT",
        "[::127.0.0.1]:PORT",
        "[64:ff9b::127.0.0.1]:PORT",
        "[fe80::1%25lo]:PORT",
        "[::1%25lo]:PORT",
        "[v1.x]:PORT",
        "localhost:PORT",
        "LOCALHOST:PORT",
        "localhost.:PORT",
        "a.localhost:PORT",
        "example.invalid.:PORT",
        "example.invalid.localhost:PORT",
        "xexample.invalid.localhost:PORT",
        "example.invalid@127.0.0.1:PORT",
        "example.invalid:PORT@127.0.0.1:PORT",
        "GRANTED@OTHER",
        "GRANTED:PORT",
        "@OTHER",
        ":PORT",
        "",
    ] {
        let answer = two.ask(&format!("GET|http|{authority}|/"));
        let refused = ["HttpRequestDenied", "HttpRequestUriInvalid", "refused: "].iter().any(|word| answer.contains(word));
        assert!(refused && !two.other_was_reached(), "{authority}: {answer}");
    }
    assert_eq!(two.heard(), "", "nothing was sent");
    // A granted server may be spelled as one likes.
    let port = two.granted.port();
    for host in ["127.1", "0x7f.1", "2130706433", "127.0.0.1."] {
        assert_eq!(two.ask(&format!("GET|http|{host}:{port}|/")), "200 5 hello", "{host}");
        assert!(two.heard().to_lowercase().contains(&format!("\r\nhost: 127.0.0.1:{port}\r\n")), "{host}");
    }
}

/// Protects against a port or a scheme that means another server than the granted one.
#[test]
fn no_port_and_no_scheme_leads_elsewhere() {
    let two = Two::new();
    let high = u32::from(two.granted.port()) + 65_536;
    for request in [
        "GET|http|127.0.0.1|/".to_owned(),
        "GET|http|127.0.0.1:|/".to_owned(),
        "GET|https|127.0.0.1|/".to_owned(),
        "GET|http|127.0.0.1:0|/".to_owned(),
        "GET|http|127.0.0.1:-1|/".to_owned(),
        "GET|http|127.0.0.1:+PORT|/".to_owned(),
        format!("GET|http|127.0.0.1:{high}|/"),
        "GET|http|GRANTED:443|/".to_owned(),
        "GET|ftp|GRANTED|/".to_owned(),
        "GET|ws|GRANTED|/".to_owned(),
        "GET|wss|GRANTED|/".to_owned(),
        "GET|file|GRANTED|/etc/passwd".to_owned(),
        "GET|unix|GRANTED|/".to_owned(),
        "GET|http+unix|GRANTED|/".to_owned(),
        "GET|javascript|GRANTED|/".to_owned(),
    ] {
        let answer = two.ask(&request);
        assert!(!answer.starts_with("200"), "{request}: {answer}");
    }
    assert!(two.heard().is_empty() && !two.other_was_reached());
}

/// Protects against a path that is read as a host: whatever it is, the granted server is asked, under its own name, or nobody.
#[test]
fn no_path_leads_elsewhere() {
    let two = Two::new();
    for path in [
        "@OTHER/",
        "//OTHER/",
        "/\\OTHER/",
        "\\\\OTHER\\",
        "http://OTHER/",
        "/http://OTHER/",
        "OTHER",
        ".OTHER/",
        ":PORT/",
        "?@OTHER/",
        "#@OTHER/",
        "*",
    ] {
        for method in ["GET", "CONNECT", "OPTIONS"] {
            let answer = two.ask(&format!("{method}|http|GRANTED|{path}"));
            assert!(!two.other_was_reached(), "{method} {path}: {answer}");
            let heard = two.heard().to_lowercase();
            let own = format!("\r\nhost: {}\r\n", two.granted.address);
            assert!(heard.is_empty() || heard.contains(&own) && heard.matches("\r\nhost:").count() == 1, "{method} {path}: {heard}");
        }
    }
}

/// Protects the granted server, and whoever stands before it, against a request within a request, or one for another host.
#[test]
fn no_line_is_smuggled_into_a_request() {
    let two = Two::new();
    for request in [
        "GET|http|GRANTED|/|host=OTHER",
        "GET|http|GRANTED|/|Host=OTHER",
        "GET|http|GRANTED|/|connection=upgrade",
        "GET|http|GRANTED|/|keep-alive=1",
        "GET|http|GRANTED|/|transfer-encoding=chunked",
        "GET|http|GRANTED|/|upgrade=h2c",
        "GET|http|GRANTED|/|http2-settings=x",
        "GET|http|GRANTED|/|proxy-connection=close",
        "GET|http|GRANTED|/|x=a~host: OTHER",
        "GET|http|GRANTED|/|x=a~~GET /second HTTP/1.1~host: OTHER~",
        "GET|http|GRANTED|/|x~host: OTHER=a",
        "GET|http|GRANTED|/|x: a~y=a",
        "GET|http|GRANTED|/|=a",
        "GET|http|GRANTED|/|content-length=40",
        "GET|http|GRANTED|/|content-length=0|content-length=40",
        "GET|http|GRANTED|/|content-length=+0",
        "GET|http|GRANTED|/a HTTP/1.1~host: OTHER~~",
        "GET|http|GRANTED|/a~b: c",
        "GET / HTTP/1.1~host: OTHER~~GET|http|GRANTED|/",
        "GET /second|http|GRANTED|/",
        "GET|http|GRANTED~host: OTHER|/",
        "|http|GRANTED|/",
    ] {
        let answer = two.ask(request);
        let heard = two.heard();
        assert!(!answer.starts_with("200") && heard.is_empty(), "{request}: {answer}\n{heard}");
    }
    // What remains is sent as it is.
    assert_eq!(two.ask("GET|http|GRANTED|/a%20b?c=%0d%0ahost:x|x-token=a b|x-token=c"), "200 5 hello");
    let heard = two.heard();
    assert!(heard.starts_with("GET /a%20b?c=%0d%0ahost:x HTTP/1.1\r\n"), "{heard}");
    assert!(heard.contains("\r\nx-token: a b\r\nx-token: c\r\n") && heard.to_lowercase().matches("\r\nhost:").count() == 1, "{heard}");
    assert!(!two.other_was_reached());
}
