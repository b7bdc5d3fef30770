//! What is computed, value by value: the very same in every sandbox, and in none.

// Each of those who include it uses a part.
#![allow(dead_code)]

pub fn gcd(mut a: i32, mut b: i32) -> i32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

pub fn add(a: i32, b: i32) -> i32 {
    a.wrapping_add(b)
}

pub fn upper(text: &str) -> String {
    text.to_uppercase()
}

/// Which rows of a batch stay, by its first column.
pub fn stays(value: i64) -> bool {
    value > 0
}
