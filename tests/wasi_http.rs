//! Requests of stages against real servers on this machine: granted ones are asked, others are not, and none can hold a stage up.

mod tricks;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use parshall::{
    wasm::{Cache, Runtime},
    words::{
        call::Call,
        grants::Grants,
        limits::Limits,
        outgoing::{Begun, Ended, Outgoing, OutgoingRequest},
        stage::{Component as _, Transformed},
    },
};
use serde_json::json;

use crate::{
    components,
    wasi::{Logs, ParseAuthority as _, call, found, opening, outside},
};

/// A server that answers every request with the same bytes.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    /// Requests, one after the other.
    pub heard: Arc<Mutex<String>>,
}

impl Server {
    /// An empty answer is none: the server listens and says nothing.
    pub fn answering(answer: &'static [u8]) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server { address: listener.local_addr().unwrap(), connections: Arc::default(), heard: Arc::default() };
        let (connections, heard) = (Arc::clone(&server.connections), Arc::clone(&server.heard));
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                connections.fetch_add(1, Ordering::Relaxed);
                let heard = Arc::clone(&heard);
                thread::spawn(move || serve(connection, answer, &heard));
            }
        });
        server
    }

    fn port(&self) -> u16 {
        self.address.port()
    }
}

/// Reads requests whose end is an empty line, or that of a chunked body, and answers each.
fn serve(mut connection: TcpStream, answer: &[u8], heard: &Mutex<String>) {
    let (mut request, mut bytes) = (Vec::new(), [0; 1 << 16]);
    while let Ok(read) = connection.read(&mut bytes).map(|read| &bytes[..read]) {
        if read.is_empty() {
            return;
        }
        request.extend_from_slice(read);
        let chunked = String::from_utf8_lossy(&request).to_lowercase().contains("transfer-encoding: chunked");
        if request.ends_with(if chunked { b"\r\n0\r\n\r\n" } else { b"\r\n\r\n" }) {
            heard.lock().unwrap().push_str(&String::from_utf8_lossy(&request));
            request.clear();
            if connection.write_all(answer).is_err() {
                return;
            }
        }
    }
}

const HELLO: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

fn granted(host: &str) -> Grants {
    Grants { http: vec![host.parse_authority()], ..outside() }
}

fn ask_within(mode: &str, url: &str, grants: Grants, limits: Limits) -> Call<Transformed> {
    call("testing/outside", &opening(json!({ "mode": mode, "url": url }), grants, limits))
}

fn ask(mode: &str, url: &str, grants: Grants) -> String {
    found(ask_within(mode, url, grants, Limits::default()))
}

#[test]
fn a_granted_server_is_asked() {
    let server = Server::answering(HELLO);
    let host = server.address.to_string();
    assert_eq!(ask("get", &format!("http://{host}/a/b?c=d"), granted(&host)), "200 5 hello");
    let heard = server.heard.lock().unwrap().clone();
    assert!(heard.starts_with("GET /a/b?c=d HTTP/1.1\r\n"), "{heard}");
    assert!(heard.to_lowercase().contains(&format!("\r\nhost: {host}\r\n")), "{heard}");
}

#[test]
fn a_body_arrives_whole() {
    let server = Server::answering(HELLO);
    let host = server.address.to_string();
    assert_eq!(ask("post", &format!("http://{host}/"), granted(&host)), "200 5 hello");
    let heard = server.heard.lock().unwrap();
    assert_eq!(heard.matches('z').count(), 200_000);
}

/// Protects against a handshake for every batch.
#[test]
fn connections_are_used_again() {
    let server = Server::answering(HELLO);
    let host = server.address.to_string();
    assert_eq!(ask("twice", &format!("http://{host}/"), granted(&host)), "200 5 hello 200 5 hello");
    assert_eq!(server.connections.load(Ordering::Relaxed), 1);
}

/// Protects everything that a stage was not allowed to talk to.
#[test]
fn a_server_that_is_not_granted_is_not_asked() {
    let server = Server::answering(HELLO);
    let other = format!("http://{}/secret?token=x", server.address);
    let (answer, logs) = Logs::of(|| ask("get", &other, granted("127.0.0.1:1")));
    assert!(answer.contains("HttpRequestDenied"), "{answer}");
    let told = format!("a request to `{0}` was denied: it is not granted; grant it with `http = [\"{0}\"]`", server.address);
    assert!(logs.len() == 1 && logs[0].contains(&told) && !logs[0].contains("token"), "{logs:?}");
    // Another spelling of the same address is the same address, and a name of it is not.
    let spelt = format!("http://127.1:{}/", server.port());
    assert!(ask("get", &spelt, granted("127.0.0.1:1")).contains("HttpRequestDenied"));
    assert_eq!(ask("get", &spelt, granted(&server.address.to_string())), "200 5 hello");
    let named = format!("http://localhost:{}/", server.port());
    assert!(ask("get", &named, granted(&server.address.to_string())).contains("HttpRequestDenied"));
    let with_user = format!("http://user:word@{}/", server.address);
    assert!(ask("get", &with_user, granted(&server.address.to_string())).contains("HttpRequestUriInvalid"));
}

/// Protects the host's own network against whoever answers for a granted name.
#[test]
fn a_name_that_leads_to_this_network_is_refused_unless_it_is_localhost() {
    let server = Server::answering(HELLO);
    let localhost = format!("localhost:{}", server.port());
    assert_eq!(ask("get", &format!("http://{localhost}/"), granted(&localhost)), "200 5 hello");
    // This machine's own name leads to one of its own addresses, on most machines; the rule itself is tested beside it.
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_lowercase();
    let leads_here = (name.as_str(), server.port()).to_socket_addrs().is_ok_and(|mut found| found.all(|at| at.ip().is_loopback()));
    if !leads_here || name == "localhost" {
        return println!("`{name}` does not lead to this machine; not tested");
    }
    let host = format!("{name}:{}", server.port());
    let answer = ask("get", &format!("http://{host}/"), granted(&host));
    assert!(answer.contains("DestinationIpProhibited"), "{answer}");
    assert!(server.heard.lock().unwrap().matches("GET").count() == 1, "nothing was sent");
}

/// Protects against a granted server that sends a stage where it must not go.
#[test]
fn redirects_are_not_followed() {
    let target = Server::answering(HELLO);
    let ways = [
        format!("location: http://{}/", target.address),
        format!("location: //{}/", target.address),
        format!("refresh: 0; url=http://{}/", target.address),
        format!("alt-svc: h2=\"{0}\", http/1.1=\"{0}\"", target.address),
    ];
    for (status, way) in [301, 302, 303, 305, 307, 308].into_iter().flat_map(|status| ways.iter().map(move |way| (status, way))) {
        let answer = format!("HTTP/1.1 {status} Elsewhere\r\n{way}\r\ncontent-length: 0\r\n\r\n");
        let server = Server::answering(answer.leak().as_bytes());
        let host = server.address.to_string();
        assert_eq!(ask("twice", &format!("http://{host}/"), granted(&host)), format!("{status} 0  {status} 0 "));
    }
    assert_eq!(target.connections.load(Ordering::Relaxed), 0);
}

/// Protects the host's memory and the guest's.
#[test]
fn a_response_is_bounded() {
    let server = Server::answering(HELLO);
    let host = server.address.to_string();
    let limits = Limits { http_bytes: 4, ..Limits::default() };
    let (call, logs) = Logs::of(|| ask_within("get", &format!("http://{host}/"), granted(&host), limits));
    let answer = found(call);
    assert!(answer.contains("HttpResponseBodySize(Some(4))"), "{answer}");
    assert!(logs.iter().any(|line| line.contains("limit `http_bytes`, 4 bytes a call")), "{logs:?}");
}

/// Protects the host's sockets, and the server.
#[test]
fn requests_at_once_are_bounded() {
    let server = Server::answering(b"");
    let host = server.address.to_string();
    let limits = Limits { http_requests: 3, ..Limits::default() };
    let (call, logs) = Logs::of(|| ask_within("many", &format!("http://{host}/"), granted(&host), limits));
    let answer = found(call);
    assert!(answer.contains("ConnectionLimitReached"), "{answer}");
    assert!(logs.iter().any(|line| line.contains("limit `http_requests`, 3 at once")), "{logs:?}");
    assert!(server.connections.load(Ordering::Relaxed) <= 3);
}

/// Protects a run against a server that never answers, or stops in the middle.
#[test]
fn a_server_that_is_silent_ends_the_call_at_its_deadline() {
    for answer in [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel"] {
        let server = Server::answering(answer);
        let host = server.address.to_string();
        let limits = Limits { timeout: Duration::from_millis(400), ..Limits::default() };
        let started = Instant::now();
        let call = ask_within("get", &format!("http://{host}/"), granted(&host), limits);
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
        assert!(call.usage.host + call.usage.guest < Duration::from_millis(1_500), "{:?}", call.usage);
        // Deadline and timeout are the same moment: the guest may still hear of it, or not.
        let error = call.outcome.unwrap_err();
        assert!(error.reason() == "timeout" || error.to_string().contains("Timeout"), "{error}");
    }
}

#[test]
fn a_closed_port_is_told_as_such() {
    let host = { TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string() };
    let answer = ask("get", &format!("http://{host}/"), granted(&host));
    assert!(answer.contains("ConnectionRefused"), "{answer}");
}

/// Writes down what it is told.
#[derive(Default)]
struct Observer(Arc<Mutex<Vec<String>>>);

impl Outgoing for Observer {
    fn begin(&self, request: &OutgoingRequest<'_>) -> Begun {
        let OutgoingRequest { stage, method, scheme, host, port, path, .. } = request;
        let told = Arc::clone(&self.0);
        told.lock().unwrap().push(format!("{stage} {method} {scheme} {host} {port} {path}"));
        let end = move |ended: Ended| {
            assert!(ended.duration > Duration::ZERO);
            told.lock().unwrap().push(format!("{:?}", ended.status));
        };
        Begun { headers: vec![("traceparent", "00-1-2-01".into())], end: Some(Box::new(end)) }
    }
}

/// Protects the seam through which traces leave: every granted request begins and ends exactly once, whatever happens.
#[test]
fn an_observer_sees_every_request_and_adds_its_headers() {
    let observer = Arc::new(Observer::default());
    let told = Arc::clone(&observer.0);
    let cache = Cache::at(std::env::temp_dir().join("parshall-test-components"));
    let runtime = Runtime::new(cache, Arc::new(components::NoTables)).unwrap().observing(observer);
    let component = runtime.load(&std::fs::read(components::path("testing/outside")).unwrap()).unwrap();
    let observed = |answer: &'static [u8], timeout: Duration| {
        let server = Server::answering(answer);
        let host = server.address.to_string();
        let limits = Limits { timeout, ..Limits::default() };
        let opening = opening(json!({"mode": "get", "url": format!("http://{host}/x?q")}), granted(&host), limits);
        let (mut stage, _) = component.open_transform(&opening).outcome.unwrap();
        let outcome = stage.process(0, &crate::wasi::batch()).outcome.map(drop);
        drop(stage);
        // The end of a request that was given up is told when its task is gone.
        let patience = Instant::now() + Duration::from_secs(10);
        while told.lock().unwrap().len() < 2 && Instant::now() < patience {
            thread::sleep(Duration::from_millis(10));
        }
        (server, outcome, std::mem::take(&mut *told.lock().unwrap()))
    };
    let (server, _, told) = observed(HELLO, Duration::from_secs(20));
    assert_eq!(told, [format!("under_test GET http 127.0.0.1 {} /x", server.port()), "Ok(200)".into()]);
    assert!(server.heard.lock().unwrap().contains("traceparent: 00-1-2-01\r\n"));
    let (_, _, told) = observed(b"", Duration::from_millis(300));
    assert!(told.len() == 2 && [r#"Err("timeout")"#, r#"Err("cancelled")"#].contains(&told[1].as_str()), "{told:?}");
}
