//! Tables for people: a line under the header and one at the end, as the report's.

use comfy_table::{Cell, CellAlignment, Table};

use super::summary::RULED;

/// Rows below a header. What begins with a digit stands to the right, except in the first column.
pub fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(RULED);
    table.set_header(header);
    for row in rows {
        table.add_row(row.into_iter().enumerate().map(|(at, text)| {
            let number = at > 0 && text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
            Cell::new(text).set_alignment(if number { CellAlignment::Right } else { CellAlignment::Left })
        }));
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}
