//! A list as it crosses: where it is and how long.

use std::{mem::ManuallyDrop, slice};

/// `list<T>`: a pointer and a number of elements.
///
/// Coming in, it owns its memory, which the host took from `cabi_realloc`; going out, it points into something that
/// outlives the call. It never frees by itself: [`List::into_vec`] takes ownership.
#[repr(C)]
pub struct List<T> {
    start: *const T,
    length: usize,
}

/// `string`.
pub type Text = List<u8>;

// === impl List ===

impl<T> List<T> {
    /// An empty list.
    pub const EMPTY: Self = Self { start: std::ptr::dangling(), length: 0 };

    /// A list that points at `slice`, which must outlive its use.
    pub fn pointing_at(slice: &[T]) -> Self {
        Self { start: slice.as_ptr(), length: slice.len() }
    }

    /// A list from the two words that an export receives.
    pub fn from_words(start: *const T, length: usize) -> Self {
        Self { start, length }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Where it is.
    pub fn as_ptr(&self) -> *const T {
        self.start
    }

    /// The elements.
    ///
    /// # Safety
    /// What it points at must still be there.
    pub unsafe fn as_slice(&self) -> &[T] {
        if self.length == 0 { &[] } else { unsafe { slice::from_raw_parts(self.start, self.length) } }
    }

    /// The elements, owned.
    ///
    /// # Safety
    /// The list must have come from the host and not have been taken before.
    pub unsafe fn into_vec(self) -> Vec<T> {
        if self.length == 0 {
            return Vec::new();
        }
        unsafe { Vec::from_raw_parts(self.start.cast_mut(), self.length, self.length) }
    }

    /// Keeps a vector alive for good and points at it.
    pub fn leak(vec: Vec<T>) -> Self {
        let vec = ManuallyDrop::new(vec.into_boxed_slice());
        Self { start: vec.as_ptr(), length: vec.len() }
    }
}

impl Text {
    /// The string, owned.
    ///
    /// # Safety
    /// As [`List::into_vec`]. The host sends valid UTF-8 only.
    pub unsafe fn into_string(self) -> String {
        unsafe { String::from_utf8_unchecked(self.into_vec()) }
    }

    /// Text that points at `text`, which must outlive its use.
    pub fn of(text: &str) -> Self {
        Self::pointing_at(text.as_bytes())
    }
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for List<T> {}
