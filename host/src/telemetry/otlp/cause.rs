//! Why a request failed, in the few words at the root of what libraries say.

use std::{error::Error, io};

/// The root of an error: `connection refused`, not `error sending request: client error (Connect): tcp connect error: …`. It names no
/// URL, which may hold a password.
pub fn cause(error: &(dyn Error + 'static)) -> String {
    let mut root = error;
    while let Some(deeper) = root.source() {
        root = deeper;
    }
    match root.downcast_ref::<io::Error>() {
        // The operating system's words are its language's, and have a number; those of Rust are the same everywhere.
        Some(error) if error.raw_os_error().is_some() && error.kind() != io::ErrorKind::Other => error.kind().to_string(),
        _ => root.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_told() {
        #[derive(Debug, thiserror::Error)]
        #[error("error sending request for http://user:secret@host")]
        struct Outer(#[source] io::Error);
        assert_eq!(cause(&Outer(io::Error::from_raw_os_error(111))), "connection refused");
        assert_eq!(cause(&Outer(io::Error::other("invalid peer certificate: UnknownIssuer"))), "invalid peer certificate: UnknownIssuer");
    }
}
