//! A list that only grows, read without a lock: stages are added to a run while calls of others are counted.

use std::sync::{Mutex, OnceLock, PoisonError};

/// Items of the first piece; each piece is as long as all before it together.
const FIRST: usize = 8;
/// Pieces, and so 4,096 items.
const PIECES: usize = 10;

/// Items by their numbers, from 0. What is in it stays where it is.
pub struct Growing<T> {
    pieces: [OnceLock<Box<[OnceLock<T>]>>; PIECES],
    length: Mutex<usize>,
}

// === impl Growing ===

impl<T> Default for Growing<T> {
    fn default() -> Self {
        Growing { pieces: std::array::from_fn(|_| OnceLock::new()), length: Mutex::default() }
    }
}

impl<T> Growing<T> {
    /// Appends an item. Answers its number, or nothing where there is no room.
    pub fn push(&self, item: T) -> Option<usize> {
        let mut length = self.length.lock().unwrap_or_else(PoisonError::into_inner);
        let at = *length;
        self.slot(at)?.set(item).ok()?;
        *length += 1;
        Some(at)
    }

    /// The item of a number.
    #[inline]
    pub fn get(&self, at: usize) -> Option<&T> {
        let (piece, offset) = place(at);
        self.pieces.get(piece)?.get()?.get(offset)?.get()
    }

    /// The item of a number, made if there is none; nothing where there is no room. For lists whose items come in any order.
    #[inline]
    pub fn get_or_make(&self, at: usize) -> Option<&T>
    where
        T: Default,
    {
        self.get(at).or_else(|| Some(self.slot(at)?.get_or_init(T::default)))
    }

    /// All items, as far as they are numbered without a gap.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        (0..).map_while(|at| self.get(at))
    }

    fn slot(&self, at: usize) -> Option<&OnceLock<T>> {
        let (piece, offset) = place(at);
        let length = if piece == 0 { FIRST } else { FIRST << (piece - 1) };
        self.pieces.get(piece)?.get_or_init(|| (0..length).map(|_| OnceLock::new()).collect()).get(offset)
    }
}

/// The piece that an item is in, and its place there.
#[inline]
fn place(at: usize) -> (usize, usize) {
    match (at / FIRST).checked_ilog2() {
        None => (0, at),
        Some(power) => (power as usize + 1, at - (FIRST << power)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects every reader against an item that moves, is lost, or is another's.
    #[test]
    fn items_keep_their_numbers_and_there_is_an_end() {
        let growing: Growing<usize> = Growing::default();
        assert!((0..4_096).all(|at| growing.push(at) == Some(at)));
        assert!(growing.iter().copied().eq(0..4_096));
        assert_eq!((growing.push(7), growing.get(4_096), growing.get_or_make(4_096)), (None, None, None));
        let sparse: Growing<usize> = Growing::default();
        assert_eq!((sparse.get(100), sparse.get_or_make(100), sparse.get(100), sparse.get(99)), (None, Some(&0), Some(&0), None));
    }
}
