//! Servers that a stage may ask: `host`, `host:port`, `*.example.com`, by which an outgoing request is judged.

use std::{fmt, net::IpAddr};

/// A granted server, or all servers below a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    host: Host,
    /// Left out, it is the scheme's own: 80 for `http`, 443 for `https`.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    /// In lower case.
    Name(String),
    /// Every name that ends in this, which begins with a dot: `.example.com`.
    Below(String),
}

/// Why a text grants no server, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NotAnAuthority {
    /// What is wrong.
    pub message: &'static str,
    /// What to write.
    pub help: String,
}

fn wrong(message: &'static str, help: impl Into<String>) -> NotAnAuthority {
    NotAnAuthority { message, help: help.into() }
}

// === impl Authority ===

impl Authority {
    /// Reads `host` or `host:port`; the host is a name, an address (IPv6 in brackets), or `*.` and a name.
    pub fn parse(text: &str) -> Result<Self, NotAnAuthority> {
        if let Some((scheme, rest)) = text.split_once("://") {
            let host = rest.split('/').next().unwrap_or_default();
            let port = if scheme == "http" || host.contains(':') { "" } else { ", and `:PORT` where it is not the scheme's own" };
            return Err(wrong("a grant of `http` is a host, not a URL", format!("write `\"{host}\"`{port}")));
        }
        if let Some((host, _)) = text.split_once('/') {
            return Err(wrong("a grant of `http` is a host without a path", format!("write `\"{host}\"`")));
        }
        if text.is_empty() {
            return Err(wrong("an empty name grants nothing", "write a host such as `\"api.example.com\"`"));
        }
        let (host, port) = split(text)?;
        Ok(Authority { host: Host::parse(host)?, port })
    }

    /// Whether it covers this host, as a URL has it (lower case, IPv6 in brackets), at this port of this scheme.
    pub fn covers(&self, scheme: &str, host: &str, port: u16) -> bool {
        let own = if scheme == "https" { 443 } else { 80 };
        if self.port.unwrap_or(own) != port {
            return false;
        }
        match &self.host {
            Host::Address(address) => bare(host).parse() == Ok(*address),
            Host::Name(name) => name == host,
            Host::Below(end) => host.len() > end.len() && host.ends_with(end.as_str()) && bare(host).parse::<IpAddr>().is_err(),
        }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
            Host::Address(address) => write!(f, "{address}")?,
            Host::Name(name) => f.write_str(name)?,
            Host::Below(end) => write!(f, "*{end}")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl Host {
    fn parse(text: &str) -> Result<Self, NotAnAuthority> {
        if let Ok(address) = bare(text).parse() {
            return Ok(Host::Address(address));
        }
        let lower = text.to_ascii_lowercase();
        let (name, below) = match lower.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (lower.as_str(), false),
        };
        if name.contains('*') {
            return Err(wrong("a wildcard stands for whole names in front only", "write `\"*.example.com\"`, or each host by itself"));
        }
        if !name.is_ascii() {
            return Err(wrong("a host is written in ASCII", "write the name as DNS has it: `\"xn--…\"`"));
        }
        // What ends in a number is read as an address by some (`127.1`), as a name by others: such a grant is a trap.
        let numeric = name.rsplit('.').next().is_some_and(|label| label.starts_with(|c: char| c.is_ascii_digit()));
        let usable =
            name.split('.').all(|label| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
        if !usable || numeric {
            return Err(wrong(
                "this is no host",
                "write a name such as `\"api.example.com\"`, or an address such as `\"10.0.0.7\"` or `\"[::1]\"`",
            ));
        }
        if below && !name.contains('.') {
            return Err(wrong("a wildcard over a whole domain of the first level", "write `\"*.example.com\"`"));
        }
        Ok(if below { Host::Below(format!(".{name}")) } else { Host::Name(name.to_owned()) })
    }
}

/// Without the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Host and port. A bare IPv6 address has no port: it would be ambiguous.
fn split(text: &str) -> Result<(&str, Option<u16>), NotAnAuthority> {
    let Some((host, port)) = text.rsplit_once(':').filter(|_| !text.ends_with(']')) else { return Ok((text, None)) };
    if host.contains(':') && !host.ends_with(']') {
        return Err(wrong("an IPv6 address stands in brackets", format!("write `\"[{text}]\"`")));
    }
    match port.parse() {
        Ok(port) if port > 0 => Ok((host, Some(port))),
        _ => Err(wrong("a port is a number from 1 to 65535", format!("write `\"{host}\"` or `\"{host}:8080\"`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(granted: &str, scheme: &str, host: &str, port: u16) -> bool {
        Authority::parse(granted).unwrap().covers(scheme, host, port)
    }

    #[test]
    fn a_grant_covers_what_it_says_and_no_more() {
        assert!(covers("API.example.com", "https", "api.example.com", 443));
        assert!(covers("api.example.com", "http", "api.example.com", 80));
        assert!(!covers("api.example.com", "https", "api.example.com", 8443), "another port is another server");
        assert!(covers("api.example.com:8443", "https", "api.example.com", 8443));
        assert!(!covers("api.example.com:8443", "https", "api.example.com", 443));
        assert!(covers("*.example.com", "https", "a.b.example.com", 443));
        assert!(!covers("*.example.com", "https", "example.com", 443));
        assert!(!covers("*.example.com", "https", "notexample.com", 443));
        assert!(!covers("example.com", "https", "example.com.evil.org", 443));
        assert!(covers("127.0.0.1:8080", "http", "127.0.0.1", 8080));
        assert!(covers("[0:0::1]:8080", "http", "[::1]", 8080));
        assert!(!covers("localhost", "http", "127.0.0.1", 80), "a name and its address are two grants");
    }

    #[test]
    fn mistakes_are_told_with_what_to_write() {
        let help = |text: &str| Authority::parse(text).unwrap_err().help;
        assert_eq!(help("http://a.example.com/x"), "write `\"a.example.com\"`");
        assert_eq!(help("a.example.com/x"), "write `\"a.example.com\"`");
        assert_eq!(help("::1"), "write `\"[::1]\"`");
        assert_eq!(help("a:http"), "write `\"a\"` or `\"a:8080\"`");
        for wrong in ["", "*", "*.com", "a.*.com", "127.1", "0x7f.1", "a..b", "bücher.example", "a b", "a@b"] {
            assert!(Authority::parse(wrong).is_err(), "{wrong}");
        }
        for right in ["localhost:80", "*.example.com:8443", "[::1]:80", "10.0.0.7", "under_score.example"] {
            assert_eq!(Authority::parse(right).unwrap().to_string(), right);
        }
    }
}
