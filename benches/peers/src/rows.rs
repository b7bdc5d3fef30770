//! The rows that functions are called with, before they are anybody's arrays, and what must come of them.

use crate::functions::Function;

/// The values that all are called with are those of arrow-udf's own benchmark where it has some.
#[path = "../guests/functions.rs"]
pub mod values;

/// Columns of the batch that is filtered.
pub const COLUMNS: usize = 16;
/// Batches that take turns: nobody shall find the same rows in the caches every time.
pub const DISTINCT: usize = 4;

/// Columns of one type.
#[derive(Clone, Debug, PartialEq)]
pub enum Columns {
    Ints(Vec<Vec<i32>>),
    Longs(Vec<Vec<i64>>),
    Texts(Vec<String>),
}

impl Columns {
    /// What a function is called with, as batches of so many rows.
    pub fn batches(function: Function, rows: usize) -> Vec<Columns> {
        (0..DISTINCT).map(|batch| Columns::of(function, batch * rows..(batch + 1) * rows)).collect()
    }

    fn of(function: Function, rows: std::ops::Range<usize>) -> Self {
        let ints = |factor: usize| rows.clone().map(|row| (factor * row) as i32).collect();
        match function {
            Function::Gcd | Function::Add => Columns::Ints(vec![ints(1), ints(2)]),
            Function::Upper => Columns::Texts(rows.map(|row| format!("a text with the number {row}")).collect()),
            Function::Filter => {
                // Pseudo-random; half of them exceed 0. Of a multiplicative hash (Knuth), so that a row needs none before it.
                let value = |column: usize, row: usize| {
                    let hash = ((row * COLUMNS + column) as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    ((hash ^ (hash >> 32)).wrapping_mul(0xbf58_476d_1ce4_e5b9) as i64) >> 32
                };
                Columns::Longs((0..COLUMNS).map(|column| rows.clone().map(|row| value(column, row)).collect()).collect())
            }
        }
    }

    /// What a function makes of them.
    pub fn answer(&self, function: Function) -> Columns {
        match (self, function) {
            (Columns::Ints(columns), Function::Gcd) => Columns::Ints(vec![ints(columns, values::gcd)]),
            (Columns::Ints(columns), _) => Columns::Ints(vec![ints(columns, values::add)]),
            (Columns::Texts(texts), _) => Columns::Texts(texts.iter().map(|text| values::upper(text)).collect()),
            (Columns::Longs(columns), _) => {
                let stay = |column: &Vec<i64>| {
                    let rows = column.iter().zip(&columns[0]).filter(|(_, first)| values::stays(**first));
                    rows.map(|(value, _)| *value).collect()
                };
                Columns::Longs(columns.iter().map(stay).collect())
            }
        }
    }
}

fn ints(columns: &[Vec<i32>], function: fn(i32, i32) -> i32) -> Vec<i32> {
    columns[0].iter().zip(&columns[1]).map(|(a, b)| function(*a, *b)).collect()
}
