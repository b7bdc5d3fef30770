//! A schema as a person reads it: one `name: type` a column, `?` where there may be nulls.

use crate::words::batch::Schema;

/// Columns that are listed when a schema is abbreviated.
const LISTED: usize = 12;

/// One line a column. Abbreviated, the last line says how many more there are.
pub fn lines(schema: &Schema, full: bool) -> Vec<String> {
    let fields = schema.fields();
    // A thirteenth column takes no more room than "… 1 more".
    let listed = if full || fields.len() <= LISTED + 1 { fields.len() } else { LISTED };
    let line = |field: &arrow::datatypes::FieldRef| {
        let nulls = if field.is_nullable() { "?" } else { "" };
        format!("{}: {}{nulls}", field.name(), field.data_type())
    };
    let mut lines: Vec<String> = fields.iter().take(listed).map(line).collect();
    if listed < fields.len() {
        lines.push(format!("… {} more", fields.len() - listed));
    }
    if fields.is_empty() {
        lines.push("no columns".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field};

    use super::*;

    fn wide(columns: usize) -> Schema {
        Schema::new((0..columns).map(|at| Field::new(format!("c{at}"), DataType::Int64, at == 0)).collect::<Vec<_>>())
    }

    #[test]
    fn wide_schemas_are_abbreviated_unless_asked_for() {
        assert_eq!(lines(&wide(2), false), ["c0: Int64?", "c1: Int64"]);
        assert_eq!(lines(&wide(13), false).len(), 13);
        assert_eq!(lines(&wide(20), false)[11..], ["c11: Int64", "… 8 more"]);
        assert_eq!(lines(&wide(20), true).len(), 20);
        assert_eq!(lines(&wide(0), false), ["no columns"]);
    }
}
