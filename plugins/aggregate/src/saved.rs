//! The bytes of a snapshot: little-endian, every length checked, a checksum at the end.

/// The bytes are not what was saved.
#[derive(Debug, PartialEq, Eq)]
pub struct Corrupt;

/// Changes whenever older bytes would be misread.
const VERSION: u8 = 1;
const MARK: &[u8; 4] = b"aggr";
/// Mark, version and checksum.
const FRAME: usize = MARK.len() + 1 + 8;

/// Lays bytes down.
pub struct Writer(Vec<u8>);

/// Takes them up.
pub struct Reader<'a>(&'a [u8]);

// === impl Writer ===

impl Default for Writer {
    fn default() -> Self {
        let mut bytes = MARK.to_vec();
        bytes.push(VERSION);
        Self(bytes)
    }
}

impl Writer {
    /// A number.
    pub fn number(&mut self, value: u64) {
        self.fixed(value.to_le_bytes());
    }

    /// As many bytes as the reader will ask for.
    pub fn fixed<const N: usize>(&mut self, bytes: [u8; N]) {
        self.0.extend_from_slice(&bytes);
    }

    /// Bytes with their length.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// A list whose length the reader knows.
    pub fn list<T: Copy, const N: usize>(&mut self, values: &[T], bytes: impl Fn(T) -> [u8; N]) {
        self.0.reserve(values.len() * N);
        values.iter().for_each(|&value| self.fixed(bytes(value)));
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
    /// Of bytes that a writer has laid down. Says what is wrong with them.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Corrupt> {
        if bytes.len() < FRAME || !bytes.starts_with(MARK) || bytes[MARK.len()] != VERSION {
            return Err(Corrupt);
        }
        let (body, sum) = bytes.split_at(bytes.len() - 8);
        if checksum(body).to_le_bytes() != sum {
            return Err(Corrupt);
        }
        Ok(Self(&body[MARK.len() + 1..]))
    }

    /// A number.
    pub fn number(&mut self) -> Result<u64, Corrupt> {
        self.fixed().map(u64::from_le_bytes)
    }

    /// The length of a list of which each item takes so many bytes at least: never more than there can be.
    pub fn count(&mut self, item: usize) -> Result<usize, Corrupt> {
        let count = self.number()?;
        if count > (self.0.len() / item) as u64 {
            return Err(Corrupt);
        }
        Ok(count as usize)
    }

    /// So many bytes.
    pub fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Corrupt> {
        let (bytes, rest) = self.0.split_first_chunk::<N>().ok_or(Corrupt)?;
        self.0 = rest;
        Ok(*bytes)
    }

    /// Bytes with their length.
    pub fn bytes(&mut self) -> Result<&'a [u8], Corrupt> {
        let length = self.count(1)?;
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        Ok(bytes)
    }

    /// A list of known length.
    pub fn list<T, const N: usize>(&mut self, length: usize, value: impl Fn([u8; N]) -> T) -> Result<Vec<T>, Corrupt> {
        if length > self.0.len() / N {
            return Err(Corrupt);
        }
        (0..length).map(|_| self.fixed().map(&value)).collect()
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
