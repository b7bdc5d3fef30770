//! Spans within a call: those that a guest opens, and those of its outgoing requests. Part of the call's usage.

use std::time::Instant;

use super::trace::SpanId;

/// A span within a call, ended.
#[derive(Clone, Debug, PartialEq)]
pub struct GuestSpan {
    /// Its name.
    pub name: String,
    /// Which side of a conversation it is.
    pub role: Role,
    /// Its id.
    pub id: SpanId,
    /// The span it is part of: the call's own or another of the guest's.
    pub parent: SpanId,
    /// When it began.
    pub started: Instant,
    /// When it ended: with the call at the latest.
    pub ended: Instant,
    /// What is said of it, each key once.
    pub attributes: Vec<(String, Value)>,
    /// What happened in it.
    pub events: Vec<GuestEvent>,
    /// What went wrong.
    pub error: Option<String>,
}

/// Which side of a conversation a span is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// None.
    Internal,
    /// It asks something outside.
    Client(Box<Request>),
}

/// An HTTP request that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET` and so on.
    pub method: String,
    /// `http` or `https`.
    pub scheme: String,
    /// A name, or an address.
    pub host: String,
    /// Always there, also where it is the scheme's own.
    pub port: u16,
    /// Without the query, which may hold what nobody should log.
    pub path: String,
    /// The response's status, or why there is none: a name from a bounded set.
    pub status: Result<u16, &'static str>,
}

/// Something that happened within a span.
#[derive(Clone, Debug, PartialEq)]
pub struct GuestEvent {
    /// What.
    pub name: String,
    /// When.
    pub at: Instant,
    /// What is said of it.
    pub attributes: Vec<(String, Value)>,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A string.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Number(f64),
    /// True or false.
    Flag(bool),
}
