//! The JSON lines of a tap, put together again to batches.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::cli::amount;

/// Characters of a value that are shown.
const WIDEST: usize = 32;

/// A line, and what it says.
pub struct Line {
    /// As it came.
    pub text: String,
    says: Says,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Says {
    Schema { columns: Vec<Column> },
    Batch(Batch),
    Row(Map<String, Value>),
    Missed(#[allow(dead_code, reason = "a sign of life")] u64),
    End(String),
}

#[derive(Deserialize)]
struct Column {
    name: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Batch {
    number: u64,
    port: String,
    trace: String,
    rows: u64,
    shown: usize,
    missed: u64,
}

/// Lines on their way to be batches.
#[derive(Default)]
pub struct Batches {
    columns: Vec<String>,
    batch: Option<Batch>,
    rows: Vec<Vec<String>>,
    /// Why the tap has ended, if it said so.
    pub end: Option<String>,
}

/// A batch with the rows that are shown of it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Values as text.
    pub rows: Vec<Vec<String>>,
    batch: Batch,
}

impl Line {
    /// Reads one. What another version of the host says besides is passed over.
    pub fn read(text: &str) -> Option<Self> {
        Some(Line { text: text.to_owned(), says: serde_json::from_str(text).ok()? })
    }
}

impl Batches {
    /// Takes a line; answers a batch when its last row has come.
    pub fn take(&mut self, line: Line) -> Option<Shown> {
        match line.says {
            Says::Schema { columns } => self.columns = columns.into_iter().map(|column| column.name).collect(),
            Says::Batch(batch) => (self.batch, self.rows) = (Some(batch), Vec::new()),
            Says::Row(row) => self.rows.push(self.columns.iter().map(|name| value(row.get(name))).collect()),
            Says::Missed(_) => {}
            Says::End(why) => self.end = Some(why),
        }
        let whole = self.batch.as_ref().is_some_and(|batch| batch.shown <= self.rows.len());
        let batch = self.batch.take_if(|_| whole)?;
        Some(Shown { columns: self.columns.clone(), rows: std::mem::take(&mut self.rows), batch })
    }
}

impl Shown {
    /// What stands above its rows.
    pub fn title(&self) -> String {
        let Batch { number, port, trace, rows, missed, .. } = &self.batch;
        let short: String = trace.chars().take(8).collect();
        let missed = if *missed > 0 { format!(" · {} missed", amount::count(*missed)) } else { String::new() };
        format!("batch {number} · {port} · {} rows · trace {short}{missed}", amount::count(*rows))
    }
}

/// A value in a cell: on one line, and not too long.
fn value(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => "null".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match text.char_indices().nth(WIDEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects tables against rows of the batch before, and against a stream that ends in the middle of one.
    #[test]
    fn lines_become_batches() {
        let mut batches = Batches::default();
        let mut take = |text: &str| batches.take(Line::read(text).unwrap());
        let batch = |number, shown| {
            format!(r#"{{"batch":{{"number":{number},"port":"out","trace":"0123456789","rows":9000,"shown":{shown},"missed":3}}}}"#)
        };
        assert!(take(r#"{"schema":{"port":"out","columns":[{"name":"a","type":"Int64","nullable":true},{"name":"b","type":"Utf8","nullable":false}]}}"#).is_none());
        assert!(take(&batch(7, 2)).is_none());
        assert!(take(r#"{"row":{"a":null,"b":"x\ny"}}"#).is_none());
        assert!(take(r#"{"missed":3}"#).is_none());
        let shown = take(r#"{"row":{"b":"z","a":1}}"#).unwrap();
        assert_eq!(shown.title(), "batch 7 · out · 9,000 rows · trace 01234567 · 3 missed");
        assert_eq!(
            (shown.columns, shown.rows),
            (vec!["a".into(), "b".into()], vec![vec!["null".into(), "x y".into()], vec!["1".into(), "z".into()]])
        );
        assert_eq!(take(&batch(8, 0)).map(|shown| shown.rows.len()), Some(0), "a batch without rows is whole at once");
        assert!(take(r#"{"end":"over"}"#).is_none());
        assert_eq!(batches.end.as_deref(), Some("over"));
        assert!(Line::read(r#"{"something":"new"}"#).is_none());
    }
}
