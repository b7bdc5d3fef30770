//! Requests by `wasi:http`, written out: what a client library does below.

use wasip2::{
    http::{
        outgoing_handler,
        types::{ErrorCode, Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme},
    },
    io::streams::StreamError,
};

/// The status and the body's length and beginning, or the error.
pub fn get(url: &str) -> String {
    shown(request(url, Method::Get).and_then(send))
}

/// The same with a body.
pub fn post(url: &str, text: &str) -> String {
    let ask = || {
        let request = request(url, Method::Post)?;
        let body = request.body().map_err(|()| internal("the body"))?;
        // The server reads while we write: what does not fit into buffers waits.
        let response = outgoing_handler::handle(request, None)?;
        let stream = body.write().map_err(|()| internal("its stream"))?;
        for chunk in text.as_bytes().chunks(4096) {
            stream.blocking_write_and_flush(chunk).map_err(|_| internal("writing"))?;
        }
        drop(stream);
        OutgoingBody::finish(body, None)?;
        response.subscribe().block();
        response.get().ok_or_else(|| internal("no response"))?.map_err(|()| internal("taken"))?
    };
    shown(ask())
}

/// Asks a hundred times without waiting; the last one's answer.
pub fn many(url: &str) -> String {
    let ask = |_| outgoing_handler::handle(request(url, Method::Get)?, None);
    let under_way: Vec<_> = (0..100).map(ask).collect();
    let last = under_way.last().and_then(|asked| asked.as_ref().ok());
    last.map_or_else(String::new, |response| {
        response.subscribe().block();
        response.get().map_or_else(String::new, |answer| shown(answer.unwrap_or_else(|()| Err(internal("taken")))))
    })
}

/// Asks part by part: `METHOD|SCHEME|AUTHORITY|PATH|NAME=VALUE…`, where `~` is the end of a line.
pub fn raw(parts: &str) -> String {
    let parts = parts.replace('~', "\r\n");
    let mut parts = parts.split('|');
    let mut part = || parts.next().unwrap_or_default();
    let (method, scheme, authority, path) = (part(), part(), part(), part());
    let fields = Fields::new();
    for header in parts {
        let (name, value) = header.split_once('=').unwrap_or((header, ""));
        if let Err(error) = fields.append(name, value.as_bytes()) {
            return format!("refused: the header, {error:?}");
        }
    }
    let method = if method == "CONNECT" { Method::Connect } else { Method::Other(method.into()) };
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.into()),
    };
    let request = OutgoingRequest::new(fields);
    if request.set_method(&method).is_err() {
        return "refused: the method".into();
    }
    if request.set_scheme(Some(&scheme)).is_err() {
        return "refused: the scheme".into();
    }
    if request.set_authority(Some(authority)).is_err() {
        return "refused: the authority".into();
    }
    if request.set_path_with_query(Some(path)).is_err() {
        return "refused: the path".into();
    }
    shown(send(request))
}

/// Writes into a body that nobody sends.
pub fn stuck_body() -> String {
    let request = OutgoingRequest::new(Fields::new());
    let (Ok(body), text) = (request.body(), [0; 4096]) else { return "no body".into() };
    let Ok(stream) = body.write() else { return "no stream".into() };
    loop {
        if stream.blocking_write_and_flush(&text).is_err() {
            return "refused".into();
        }
    }
}

fn internal(what: &str) -> ErrorCode {
    ErrorCode::InternalError(Some(what.into()))
}

fn request(url: &str, method: Method) -> Result<OutgoingRequest, ErrorCode> {
    let (scheme, rest) = url.split_once("://").ok_or(ErrorCode::HttpRequestUriInvalid)?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let scheme = if scheme == "https" { Scheme::Https } else { Scheme::Http };
    let request = OutgoingRequest::new(Fields::new());
    let set = request.set_method(&method).and_then(|()| request.set_scheme(Some(&scheme)));
    let set = set.and_then(|()| request.set_authority(Some(authority)));
    set.and_then(|()| request.set_path_with_query(Some(&format!("/{path}")))).map_err(|()| ErrorCode::HttpRequestUriInvalid)?;
    Ok(request)
}

fn send(request: OutgoingRequest) -> Result<IncomingResponse, ErrorCode> {
    let response = outgoing_handler::handle(request, None)?;
    response.subscribe().block();
    response.get().ok_or_else(|| internal("no response"))?.map_err(|()| internal("taken"))?
}

fn shown(response: Result<IncomingResponse, ErrorCode>) -> String {
    match response.and_then(|response| Ok((response.status(), read(response)?))) {
        Ok((status, body)) => format!("{status} {} {}", body.len(), String::from_utf8_lossy(&body[..body.len().min(40)])),
        Err(error) => format!("{error:?}"),
    }
}

fn read(response: IncomingResponse) -> Result<Vec<u8>, ErrorCode> {
    let body: IncomingBody = response.consume().map_err(|()| internal("consumed"))?;
    let stream = body.stream().map_err(|()| internal("streamed"))?;
    let mut all = Vec::new();
    loop {
        match stream.blocking_read(1 << 16) {
            Ok(bytes) => all.extend(bytes),
            Err(StreamError::Closed) => return Ok(all),
            Err(StreamError::LastOperationFailed(error)) => {
                let code = wasip2::http::types::http_error_code(&error);
                return Err(code.unwrap_or_else(|| internal(&error.to_debug_string())));
            }
        }
    }
}
