//! A place in a line, and the steps that reading takes from there.

/// What is wrong with a line, and at which byte.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistake {
    /// From 0.
    pub at: usize,
    /// What should be there.
    pub expected: &'static str,
}

/// A place in a line.
#[derive(Clone, Copy)]
pub struct Cursor<'a> {
    /// The line.
    pub line: &'a str,
    /// The next byte.
    pub at: usize,
}

// === impl Cursor ===

impl<'a> Cursor<'a> {
    /// What is wrong here.
    #[cold]
    pub fn mistake<T>(&self, expected: &'static str) -> Result<T, Mistake> {
        Err(Mistake { at: self.at, expected })
    }

    fn bytes(&self) -> &'a [u8] {
        self.line.as_bytes()
    }

    /// The next byte, if there is one.
    pub fn peek(&self) -> Option<u8> {
        self.bytes().get(self.at).copied()
    }

    /// Passes a byte that must be there.
    #[inline]
    pub fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), Mistake> {
        if self.peek() != Some(byte) {
            return self.mistake(expected);
        }
        self.at += 1;
        Ok(())
    }

    /// The text up to here from a place before. Both lie beside an ASCII byte or at an end, so no character is cut.
    #[inline]
    fn since(&self, start: usize) -> &'a str {
        &self.line[start..self.at]
    }

    /// A word of at least one byte, and the blank after it.
    #[inline]
    pub fn word(&mut self, expected: &'static str) -> Result<&'a str, Mistake> {
        let start = self.at;
        let word = self.last_word(expected)?;
        if self.at == start {
            return self.mistake(expected);
        }
        self.blank()?;
        Ok(word)
    }

    /// A word of at least one byte, up to a blank or the end.
    #[inline]
    pub fn last_word(&mut self, expected: &'static str) -> Result<&'a str, Mistake> {
        let rest = &self.bytes()[self.at..];
        let length = rest.iter().position(|&byte| byte == b' ').unwrap_or(rest.len());
        if length == 0 {
            return self.mistake(expected);
        }
        self.at += length;
        Ok(self.since(self.at - length))
    }

    /// The blank between two fields.
    #[inline]
    pub fn blank(&mut self) -> Result<(), Mistake> {
        self.expect(b' ', "a blank")
    }

    /// A name, which may have blanks in it, and ends before ` [`.
    pub fn name(&mut self) -> Result<&'a str, Mistake> {
        let (start, bytes) = (self.at, self.bytes());
        let mut end = None;
        for at in start..bytes.len() {
            match bytes[at..] {
                [b' ', b'[', ..] => {
                    self.at = at + 1;
                    return Ok(&self.line[start..at]);
                }
                // The time is missing: what follows is the request.
                [b' ', b'"', ..] => break,
                [b' ', ..] if end.is_none() => end = Some(at + 1),
                _ => {}
            }
        }
        // Where the time should begin: after the first word of the name.
        let word = bytes[start..].iter().position(|&byte| byte == b' ').map(|length| start + length + 1);
        self.at = end.or(word).unwrap_or(bytes.len());
        self.mistake("`[`")
    }

    /// Text in double quotes, in which a backslash takes the meaning from the byte after it.
    #[inline]
    pub fn quoted(&mut self, expected: &'static str) -> Result<&'a str, Mistake> {
        self.expect(b'"', expected)?;
        let (start, bytes) = (self.at, self.bytes());
        loop {
            match bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(&self.line[start..self.at - 1]);
                }
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => {
                    self.at = bytes.len();
                    return self.mistake("a closing `\"`");
                }
            }
        }
    }
}
