//! One line of an access log, taken apart. Nothing is copied: every field is a piece of the line.

use crate::{
    cursor::{Cursor, Mistake},
    time,
};

/// Which of the two formats of the Apache HTTP server, <https://httpd.apache.org/docs/2.4/logs.html>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Whichever a line is in.
    #[default]
    Auto,
    /// `%h %l %u %t "%r" %>s %b`.
    Common,
    /// The same and `"%{Referer}i" "%{User-agent}i"`.
    Combined,
}

/// What stands in a line.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Name or address of the client.
    pub host: &'a str,
    /// Of RFC 1413.
    pub identity: Option<&'a str>,
    /// Who has logged in.
    pub user: Option<&'a str>,
    /// Microseconds since 1970, UTC.
    pub time: i64,
    /// The request line, if it is one.
    pub request: Option<Request<'a>>,
    /// Three digits.
    pub status: i32,
    /// Size of the answer without its headers.
    pub bytes: Option<i64>,
    /// Where the client says it came from.
    pub referer: Option<&'a str>,
    /// What the client says it is.
    pub user_agent: Option<&'a str>,
}

/// A request line.
#[derive(Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// `GET` …
    pub method: &'a str,
    /// What was asked for, with its query.
    pub path: &'a str,
    /// `HTTP/1.1` …; HTTP/0.9 has none.
    pub protocol: Option<&'a str>,
}

/// Takes a line apart.
pub fn read(line: &str, format: Format) -> Result<Entry<'_>, Mistake> {
    let mut cursor = Cursor { line: line.trim_end_matches(['\r', '\n']), at: 0 };
    let host = cursor.word("a host")?;
    let identity = given(cursor.word("an identity or `-`")?);
    let user = given(cursor.name()?);
    let time = time::read(&mut cursor)?;
    cursor.blank()?;
    let request = request(cursor.quoted("a request in quotes")?);
    cursor.blank()?;
    let status = status(&mut cursor)?;
    cursor.blank()?;
    let bytes = size(&mut cursor)?;
    let ends = cursor.peek().is_none();
    let (referer, user_agent) = match format {
        Format::Auto if ends => (None, None),
        Format::Common => (None, None),
        _ => {
            cursor.blank()?;
            let referer = given(cursor.quoted("a referer in quotes")?);
            cursor.blank()?;
            (referer, given(cursor.quoted("a user agent in quotes")?))
        }
    };
    if cursor.peek().is_some() {
        return cursor.mistake("the end of the line");
    }
    Ok(Entry { host, identity, user, time, request, status, bytes, referer, user_agent })
}

/// `-` stands for what is not known; an empty user is logged as `""`.
fn given(text: &str) -> Option<&str> {
    match text {
        "-" => None,
        "\"\"" => Some(""),
        text => Some(text),
    }
}

/// `METHOD PATH PROTOCOL`, or of HTTP/0.9 `METHOD PATH`. What else clients send is no request: a TLS handshake on a plain
/// port is logged as `\x16\x03\x01`, a connection without a request as `-` or nothing.
fn request(text: &str) -> Option<Request<'_>> {
    let (method, rest) = text.split_once(' ')?;
    if method.is_empty() || !method.bytes().all(is_token) {
        return None;
    }
    // A path may have blanks in it that the client should have escaped.
    let (path, protocol) = match rest.rsplit_once(' ') {
        Some((path, protocol)) if protocol.starts_with("HTTP/") => (path, Some(protocol)),
        Some(_) => return None,
        None => (rest, None),
    };
    (!path.is_empty()).then_some(Request { method, path, protocol })
}

/// A character of a method: `tchar` of RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn status(cursor: &mut Cursor) -> Result<i32, Mistake> {
    let start = *cursor;
    let word = cursor.last_word("a status of three digits")?;
    match word.as_bytes() {
        [a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9'] => {
            Ok([a, b, c].into_iter().fold(0, |status, digit| status * 10 + i32::from(digit - b'0')))
        }
        _ => start.mistake("a status of three digits"),
    }
}

fn size(cursor: &mut Cursor) -> Result<Option<i64>, Mistake> {
    const EXPECTED: &str = "a number of bytes or `-`";
    let start = *cursor;
    let word = cursor.last_word(EXPECTED)?;
    if word == "-" {
        return Ok(None);
    }
    let add = |size: i64, digit: u8| {
        let digit = digit.is_ascii_digit().then(|| i64::from(digit - b'0'))?;
        size.checked_mul(10)?.checked_add(digit)
    };
    match word.bytes().try_fold(0, add) {
        Some(size) => Ok(Some(size)),
        None => start.mistake(EXPECTED),
    }
}

#[cfg(test)]
mod tests;
