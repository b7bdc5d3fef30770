//! WASI 0.2, by interface: what may be imported and what that needs. The plan, `inspect` and the linker all ask here.

use super::grants::Grants;

/// What an import of WASI needs to be linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: every language's runtime imports it, and nothing outside can be reached through it. Output becomes log
    /// records, input is empty, of the environment only granted names are there, and no folder is.
    Nothing,
    /// `clocks`.
    Clocks,
    /// `random`.
    Random,
    /// `http`.
    Http,
    /// It cannot be granted.
    Absent,
}

/// What an import needs; nothing for one that is not WASI.
pub fn need(import: &str) -> Option<Need> {
    let (name, version) = import.strip_prefix("wasi:")?.split_once('@').unwrap_or_default();
    if !version.starts_with("0.2.") {
        return Some(Need::Absent);
    }
    Some(match name {
        "io/error" | "io/poll" | "io/streams" | "filesystem/types" | "filesystem/preopens" => Need::Nothing,
        "cli/environment" | "cli/exit" | "cli/stdin" | "cli/stdout" | "cli/stderr" => Need::Nothing,
        "cli/terminal-input" | "cli/terminal-output" => Need::Nothing,
        "cli/terminal-stdin" | "cli/terminal-stdout" | "cli/terminal-stderr" => Need::Nothing,
        "clocks/monotonic-clock" | "clocks/wall-clock" => Need::Clocks,
        "random/random" | "random/insecure" | "random/insecure-seed" => Need::Random,
        "http/types" | "http/outgoing-handler" => Need::Http,
        _ => Need::Absent,
    })
}

// === impl Need ===

impl Need {
    /// What to write into `grants`; nothing where nothing is needed or can be granted.
    pub fn grant(self) -> Option<&'static str> {
        match self {
            Need::Nothing | Need::Absent => None,
            Need::Clocks => Some("clocks = true"),
            Need::Random => Some("random = true"),
            Need::Http => Some("http = [\"…\"]"),
        }
    }

    /// Whether these grants give it.
    pub fn is_met(self, grants: &Grants) -> bool {
        match self {
            Need::Nothing => true,
            Need::Clocks => grants.clocks,
            Need::Random => grants.random,
            Need::Http => !grants.http.is_empty(),
            Need::Absent => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against an interface that is offered because nobody thought of it.
    #[test]
    fn what_is_not_listed_is_absent() {
        assert_eq!(need("wasi:io/poll@0.2.6"), Some(Need::Nothing));
        assert_eq!(need("wasi:clocks/wall-clock@0.2.0"), Some(Need::Clocks));
        assert_eq!(need("wasi:sockets/tcp@0.2.6"), Some(Need::Absent));
        assert_eq!(need("wasi:http/incoming-handler@0.2.6"), Some(Need::Absent));
        assert_eq!(need("wasi:io/poll@0.3.0"), Some(Need::Absent));
        assert_eq!(need("wasi:io/poll"), Some(Need::Absent));
        assert_eq!(need("parshall:stage/tables@0.1.0"), None);
    }
}
