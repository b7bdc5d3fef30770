//! Names of components in OCI registries.

use std::fmt;

/// What such a name begins with.
pub const SCHEME: &str = "oci://";
/// How such a name is written.
pub const EXPECTED: &str = "`oci://REGISTRY/NAME:TAG` or `oci://REGISTRY/NAME@sha256:…`";

/// A component in a registry: by a tag, which may come to mean something else, or by the digest of its manifest, which cannot.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OciName {
    /// Host, with its port if it is not the scheme's.
    pub registry: String,
    /// Path of the repository.
    pub repository: String,
    /// Which of its contents.
    pub version: OciVersion,
}

/// Which of the contents of a repository.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OciVersion {
    /// What the tag means now.
    Tag(String),
    /// The manifest with this digest, as `sha256:` and 64 hexadecimal digits.
    Digest(String),
}

/// Why a name is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadOciName {
    /// No registry stands first.
    #[error("no registry stands in front of the name: expected a host such as `registry.example.com` or `localhost:5000`")]
    NoRegistry,
    /// The name of the repository has characters that no registry takes.
    #[error("`{0}` is no name of a repository: expected lower-case letters, digits, and `.`, `_`, `-` between them; `/` between its parts")]
    Repository(String),
    /// Neither tag nor digest.
    #[error("neither a tag nor a digest says which version is meant: add `:TAG` or `@sha256:…`")]
    NoVersion,
    /// The tag has characters that no registry takes.
    #[error("`{0}` is no tag: expected at most 128 letters, digits, `.`, `_`, `-`, beginning with none of `.` and `-`")]
    Tag(String),
    /// The digest is none.
    #[error("`{0}` is no digest: expected `sha256:` and 64 hexadecimal digits in lower case")]
    Digest(String),
}

// === impl OciName ===

impl OciName {
    /// Reads what stands after [`SCHEME`]. The grammar is that of the OCI distribution specification 1.1.
    pub fn parse(name: &str) -> Result<Self, BadOciName> {
        let (registry, rest) = name.split_once('/').filter(|(host, _)| is_host(host)).ok_or(BadOciName::NoRegistry)?;
        let (repository, version) = match rest.split_once('@') {
            // A tag beside a digest says nothing that the digest does not.
            Some((named, digest)) => (named.split_once(':').map_or(named, |(repository, _)| repository), OciVersion::digest(digest)),
            None => match rest.split_once(':') {
                Some((repository, tag)) => (repository, OciVersion::tag(tag)),
                None => (rest, Err(BadOciName::NoVersion)),
            },
        };
        if !is_repository(repository) {
            return Err(BadOciName::Repository(repository.to_owned()));
        }
        Ok(OciName { registry: registry.to_owned(), repository: repository.to_owned(), version: version? })
    }

    /// The same repository's content with this digest.
    pub fn at(&self, digest: &str) -> Self {
        OciName { version: OciVersion::Digest(digest.to_owned()), ..self.clone() }
    }
}

impl fmt::Display for OciName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OciName { registry, repository, version } = self;
        match version {
            OciVersion::Tag(tag) => write!(f, "{SCHEME}{registry}/{repository}:{tag}"),
            OciVersion::Digest(digest) => write!(f, "{SCHEME}{registry}/{repository}@{digest}"),
        }
    }
}

// === impl OciVersion ===

impl OciVersion {
    fn tag(text: &str) -> Result<Self, BadOciName> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let fits = text.starts_with(word) && text.len() <= 128 && text.chars().all(|c| word(c) || c == '.' || c == '-');
        if fits { Ok(OciVersion::Tag(text.to_owned())) } else { Err(BadOciName::Tag(text.to_owned())) }
    }

    fn digest(text: &str) -> Result<Self, BadOciName> {
        if is_digest(text) { Ok(OciVersion::Digest(text.to_owned())) } else { Err(BadOciName::Digest(text.to_owned())) }
    }
}

/// Whether this is a digest as registries write it: `sha256:` and 64 hexadecimal digits in lower case.
pub fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .is_some_and(|digits| digits.len() == 64 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')))
}

/// A host that could not be the first part of a repository's name: with a dot or a port, or `localhost`.
fn is_host(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let named = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
    named && port.is_none_or(|port| port.parse::<u16>().is_ok()) && (port.is_some() || host.contains('.') || host == "localhost")
}

fn is_repository(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let part =
        |part: &str| part.starts_with(inner) && part.ends_with(inner) && part.chars().all(|c| inner(c) || matches!(c, '.' | '_' | '-'));
    text.len() <= 255 && text.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    /// Protects names from meaning something else than what is written.
    #[test]
    fn names_are_read_as_they_are_written() {
        for name in ["registry.example.com/team/filter:1.0", "localhost:5000/a:latest", &format!("localhost/a/b@{DIGEST}")] {
            assert_eq!(OciName::parse(name).unwrap().to_string(), format!("{SCHEME}{name}"));
        }
        let both = OciName::parse(&format!("localhost/a:1.0@{DIGEST}")).unwrap();
        assert_eq!(both, OciName::parse(&format!("localhost/a@{DIGEST}")).unwrap(), "of a tag and a digest the digest counts");
        assert_eq!(OciName::parse("localhost/a:1.0").unwrap().at(DIGEST), both);
    }

    /// Protects registries, and files of the cache, from names that are paths or URLs.
    #[test]
    fn what_is_no_name_is_refused() {
        let wrong = |name: &str| OciName::parse(name).unwrap_err();
        for name in ["filter:1.0", "team/filter:1.0", "/filter:1.0", "", "user@host.com/a:1", "localhost:port/a:1", "a b.com/x:1"] {
            assert_eq!(wrong(name), BadOciName::NoRegistry, "{name}");
        }
        for (name, repository) in [("localhost/../x:1", "../x"), ("localhost/A:1", "A"), ("localhost/a//b:1", "a//b"), ("localhost/:1", "")]
        {
            assert_eq!(wrong(name), BadOciName::Repository(repository.into()), "{name}");
        }
        assert_eq!(wrong("localhost/a"), BadOciName::NoVersion);
        assert_eq!(wrong("localhost/a:"), BadOciName::Tag(String::new()));
        assert_eq!(wrong("localhost/a:1/2"), BadOciName::Tag("1/2".into()));
        assert_eq!(wrong("localhost/a@sha256:12"), BadOciName::Digest("sha256:12".into()));
        assert_eq!(wrong(&format!("localhost/a@{}", DIGEST.to_uppercase())), BadOciName::Digest(DIGEST.to_uppercase()));
    }
}
