//! What a guest said of its own end: the text of a panic, which it left in its memory before it trapped.
//!
//! A trap has no text, and after one a component cannot be called. A guest that wants to be understood writes 24 bytes to an
//! address that is a multiple of 8, and traps: [`MARK`], then address and length of a text, each as a u32. Looked for only where a
//! guest trapped. They are a guest's words, believed as little as any other message of its.

use wasmtime::{AsContext, Memory, WasmCoreDump};

/// What last words begin with.
pub const MARK: &[u8; 16] = b"parshall:trapped";

/// Marks that are followed: whoever fills a memory with marks that lead to nothing holds nobody up.
const MARKS: usize = 8;

/// The last words in the memories of an instance that trapped, cut to `most` bytes.
pub fn of(error: &wasmtime::Error, store: impl AsContext, most: usize) -> Option<String> {
    let dump = error.downcast_ref::<WasmCoreDump>()?;
    dump.memories().iter().find_map(|memory: &Memory| within(memory.data(&store), most))
}

fn within(memory: &[u8], most: usize) -> Option<String> {
    let (words, _) = memory.as_chunks::<8>();
    let (first, second) = MARK.split_at(8);
    let marked = words.windows(3).filter(|three| three[0] == *first && three[1] == *second);
    marked.take(MARKS).map(|three| three[2]).find_map(|place| text(memory, place, most))
}

/// The text at a place, if there is one.
fn text(memory: &[u8], place: [u8; 8], most: usize) -> Option<String> {
    let place = u64::from_le_bytes(place);
    let (at, length) = (place as u32 as usize, (place >> 32) as usize);
    let bytes = memory.get(at..at.checked_add(length)?)?;
    let said = String::from_utf8_lossy(&bytes[..length.min(most)]);
    let words = said.split(|letter: char| letter.is_whitespace() || letter.is_control()).filter(|word| !word.is_empty());
    let said = words.collect::<Vec<_>>().join(" ");
    (!said.is_empty()).then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(at: u32, length: u32) -> Vec<u8> {
        let mut memory = vec![0; 64];
        memory.extend(MARK);
        memory.extend(at.to_le_bytes());
        memory.extend(length.to_le_bytes());
        memory.extend("panicked at a.rs:1:2:\n  index 7".as_bytes());
        memory
    }

    /// Protects the words of a panic, in one line and no longer than a message may be.
    #[test]
    fn words_are_found_behind_the_mark() {
        assert_eq!(within(&memory(88, 31), 100).as_deref(), Some("panicked at a.rs:1:2: index 7"));
        assert_eq!(within(&memory(88, 31), 8).as_deref(), Some("panicked"));
    }

    /// Protects the host from a mark that points nowhere, and a stage from words that nobody said.
    #[test]
    fn a_mark_without_words_says_nothing() {
        for (at, length) in [(88, 0), (88, 32), (u32::MAX, 1), (u32::MAX, u32::MAX), (0, 8)] {
            assert_eq!(within(&memory(at, length), 100), None, "{at} {length}");
        }
        assert_eq!(within(&memory(88, 31)[1..], 100), None, "not aligned");
        assert_eq!(within(&[], 100), None);
        assert_eq!(within(MARK, 100), None);
    }

    /// Protects whoever waits from a memory that is full of marks, each with much to read and nothing in it.
    #[test]
    fn no_more_marks_are_followed_than_a_few() {
        let full = |blank: usize| {
            let mark = |at: u32| memory(at, 4)[64..88].to_vec();
            let mut memory = b"    said".to_vec();
            (0..blank).for_each(|_| memory.extend(mark(0)));
            memory.extend(mark(4));
            memory
        };
        assert_eq!(within(&full(MARKS - 1), 100).as_deref(), Some("said"));
        assert_eq!(within(&full(MARKS), 100), None);
    }
}
