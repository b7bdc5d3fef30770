//! Why there is no response, in the words of `wasi:http`.

use std::{error::Error as StdError, io::ErrorKind};

use wasmtime_wasi_http::{Error, p2::bindings::http::types::ErrorCode};

use super::addresses::Refused;

/// What the client reports, as the guest is to hear it.
pub fn of(error: &reqwest::Error) -> Error {
    if caused::<Refused>(error).is_some() {
        return Error::DestinationIpProhibited;
    }
    if let Some(error) = caused::<rustls::Error>(error) {
        return match error {
            rustls::Error::InvalidCertificate(_) => Error::TlsCertificateError,
            _ => Error::TlsProtocolError,
        };
    }
    if error.is_timeout() {
        return if error.is_connect() { Error::ConnectionTimeout } else { Error::HttpResponseTimeout };
    }
    match caused::<std::io::Error>(error).map(std::io::Error::kind) {
        Some(ErrorKind::ConnectionRefused) => Error::ConnectionRefused,
        Some(ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable) => Error::DestinationUnavailable,
        Some(ErrorKind::TimedOut) => Error::ConnectionTimeout,
        Some(ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof) => {
            Error::ConnectionTerminated
        }
        _ if says(error, "dns error") => Error::DnsError { rcode: None, info_code: None },
        _ if error.is_connect() => Error::ConnectionRefused,
        _ if error.is_body() || error.is_decode() || says(error, "connection closed") => Error::HttpResponseIncomplete,
        _ => Error::HttpProtocolError,
    }
}

/// What can befall a response's body, as the guest's `error-code`.
pub fn code(error: &Error) -> Option<ErrorCode> {
    Some(match error {
        Error::HttpResponseBodySize(limit) => ErrorCode::HttpResponseBodySize(*limit),
        Error::HttpResponseIncomplete => ErrorCode::HttpResponseIncomplete,
        Error::HttpResponseTimeout => ErrorCode::HttpResponseTimeout,
        Error::HttpProtocolError => ErrorCode::HttpProtocolError,
        Error::ConnectionReadTimeout => ErrorCode::ConnectionReadTimeout,
        Error::ConnectionTerminated => ErrorCode::ConnectionTerminated,
        Error::ConnectionTimeout => ErrorCode::ConnectionTimeout,
        _ => return None,
    })
}

/// A name for it from a bounded set.
pub fn name(error: &Error) -> &'static str {
    match error {
        Error::ConnectionRefused => "connection_refused",
        Error::ConnectionTerminated => "connection_terminated",
        Error::ConnectionTimeout | Error::HttpResponseTimeout | Error::ConnectionReadTimeout => "timeout",
        Error::DestinationIpProhibited => "private_address",
        Error::DestinationUnavailable => "unreachable",
        Error::DnsError { .. } => "dns",
        Error::TlsCertificateError | Error::TlsProtocolError => "tls",
        _ => "protocol",
    }
}

/// The first cause of a type. hyper hides what is behind an `io::Error`, so that is looked into as well.
pub fn caused<'a, E: StdError + 'static>(error: &'a reqwest::Error) -> Option<&'a E> {
    let mut next: Option<&'a (dyn StdError + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let within = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(found) = within.and_then(|within| within.downcast_ref()) {
            return Some(found);
        }
        next = error.source();
    }
    None
}

fn says(error: &reqwest::Error, words: &str) -> bool {
    let mut next: Option<&dyn StdError> = Some(error);
    while let Some(error) = next {
        if error.to_string().contains(words) {
            return true;
        }
        next = error.source();
    }
    false
}
