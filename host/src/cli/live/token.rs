//! The token of an admin port: whoever has it may ask.

use std::{fmt::Write as _, fs, io::Read as _, path::Path};

use subtle::ConstantTimeEq as _;

use crate::cli::Exit;

/// The variable that holds one.
pub const VARIABLE: &str = "PARSHALL_ADMIN_TOKEN";
/// A shorter one could be guessed.
const SHORTEST: usize = 16;
/// Bytes of a random one.
const RANDOM: usize = 32;

/// A secret that requests must carry.
pub struct Token(String);

impl Token {
    /// That of a file, or of the environment, or a random one.
    pub fn chosen(file: Option<&Path>) -> Result<Self, Exit> {
        if let Some(file) = file {
            let shown = format!("`--admin-token-file {}`", file.display());
            let text = fs::read_to_string(file).map_err(|error| Exit::Wrong(format!("{shown}: {error}")))?;
            return Token::checked(text.lines().next().unwrap_or_default().trim(), &shown);
        }
        match std::env::var(VARIABLE) {
            Ok(text) if !text.is_empty() => Token::checked(&text, &format!("${VARIABLE}")),
            _ => Token::random().map_err(|error| Exit::Broken(anyhow::Error::from(error).context("no random token can be made"))),
        }
    }

    fn checked(text: &str, whence: &str) -> Result<Self, Exit> {
        if text.len() < SHORTEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Exit::Wrong(format!(
                "{whence}: a token has at least {SHORTEST} characters, letters, digits and signs of ASCII without spaces; \
                 `openssl rand -hex 32` makes one"
            )));
        }
        Ok(Token(text.to_owned()))
    }

    fn random() -> std::io::Result<Self> {
        let mut bytes = [0; RANDOM];
        fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(Token(bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })))
    }

    /// The secret.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether this is it. How long the answer takes tells nothing but the length.
    pub fn is(&self, text: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(text).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects the port against tokens that are none, or nearly the right one.
    #[test]
    fn a_token_is_long_and_is_compared_whole() {
        let token = Token::random().unwrap();
        assert_eq!(token.text().len(), 2 * RANDOM);
        assert_ne!(token.text(), Token::random().unwrap().text());
        assert!(token.is(token.text().as_bytes()));
        for wrong in ["", &token.text()[1..], &token.text().to_uppercase().replace(|c: char| c.is_ascii_digit(), "x")] {
            assert!(!token.is(wrong.as_bytes()), "{wrong}");
        }
        for wrong in ["", "short", "fifteen-letters", "sixteen letters and spaces", "sixteen\u{e9}letters-and"] {
            assert!(Token::checked(wrong, "x").is_err(), "{wrong}");
        }
    }
}
