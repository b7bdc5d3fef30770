//! The bytes of a snapshot: little-endian, every length checked, a checksum at the end.

/// The bytes are not what was saved.
#[derive(Debug, PartialEq, Eq)]
pub struct Corrupt;

/// The last digit changes whenever older bytes would be misread.
const MARK: &[u8] = b"validate1";

/// Lays bytes down.
pub struct Writer(Vec<u8>);

/// Takes them up.
pub struct Reader<'a>(&'a [u8]);

// === impl Writer ===

impl Default for Writer {
    fn default() -> Self {
        Self(MARK.to_vec())
    }
}

impl Writer {
    pub fn number(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// Bytes with their length.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// All of it.
    pub fn done(mut self) -> Vec<u8> {
        let sum = checksum(&self.0);
        self.number(sum);
        self.0
    }
}

// === impl Reader ===

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Result<Self, Corrupt> {
        let (body, sum) = bytes.split_last_chunk::<8>().ok_or(Corrupt)?;
        if checksum(body) != u64::from_le_bytes(*sum) {
            return Err(Corrupt);
        }
        body.strip_prefix(MARK).map(Self).ok_or(Corrupt)
    }

    pub fn number(&mut self) -> Result<u64, Corrupt> {
        let (number, rest) = self.0.split_first_chunk::<8>().ok_or(Corrupt)?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*number))
    }

    /// The length of a list whose items take eight bytes at least: never more than there can be.
    pub fn count(&mut self) -> Result<usize, Corrupt> {
        let count = self.number()?;
        if count > (self.0.len() / 8) as u64 { Err(Corrupt) } else { Ok(count as usize) }
    }

    /// Bytes with their length.
    pub fn bytes(&mut self) -> Result<&'a [u8], Corrupt> {
        let length = usize::try_from(self.number()?).map_err(|_| Corrupt)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Corrupt)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// Nothing may be left.
    pub fn done(self) -> Result<(), Corrupt> {
        if self.0.is_empty() { Ok(()) } else { Err(Corrupt) }
    }
}

/// FNV-1a over words (Fowler, Noll, Vo): finds accidents, not forgery. Every length is checked besides.
fn checksum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let rest = rest.iter().map(|&byte| u64::from(byte));
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    words.chain(rest).fold(0xcbf2_9ce4_8422_2325, |sum: u64, word| {
        let sum = (sum ^ word).wrapping_mul(0x0100_0000_01b3);
        // High bits would never reach the low ones.
        sum ^ (sum >> 32)
    })
}
