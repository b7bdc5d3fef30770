//! Where the records of a text end: what grows is decoded only up to there.

/// How records are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// By the ends of lines.
    Lines,
    /// By the ends of lines outside of quotes.
    Csv { delimiter: u8, quote: u8 },
}

/// The beginning of a text that consists of whole records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    pub bytes: usize,
    /// How many they are; blank lines count.
    pub records: usize,
}

/// Where a byte of CSV stands, as the decoder sees it: a quote opens only at the beginning of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Value,
    Inside,
    Quoted,
    /// A quote within quotes: the end of them, or half of a doubled one.
    Quote,
    /// A carriage return, which ends a record with or without the line feed that mostly follows.
    Return,
}

/// The first records, `most` of them, or fewer once they have so many bytes.
pub fn cut(text: &[u8], shape: Shape, most: usize, bytes: usize) -> Cut {
    match shape {
        Shape::Lines => cut_lines(text, most, bytes),
        Shape::Csv { delimiter, quote } => cut_csv(text, (delimiter, quote), most, bytes),
    }
}

fn cut_lines(text: &[u8], most: usize, bytes: usize) -> Cut {
    let mut cut = Cut::default();
    let ends = text.iter().enumerate().filter(|byte| *byte.1 == b'\n').map(|byte| byte.0 + 1);
    for end in ends.take(most) {
        cut = Cut { bytes: end, records: cut.records + 1 };
        if end >= bytes {
            break;
        }
    }
    cut
}

fn cut_csv(text: &[u8], (delimiter, quote): (u8, u8), most: usize, bytes: usize) -> Cut {
    let (mut cut, mut state) = (Cut::default(), At::Value);
    for (at, &byte) in text.iter().enumerate() {
        if state == At::Return && byte != b'\n' {
            cut = Cut { bytes: at, records: cut.records + 1 };
            state = At::Value;
        }
        if cut.records >= most || (cut.records > 0 && cut.bytes >= bytes) {
            break;
        }
        state = match (state, byte) {
            (At::Quoted, byte) if byte == quote => At::Quote,
            (At::Quoted, _) => At::Quoted,
            (At::Quote, byte) if byte == quote => At::Quoted,
            (At::Value, byte) if byte == quote => At::Quoted,
            (_, b'\n') => {
                cut = Cut { bytes: at + 1, records: cut.records + 1 };
                At::Value
            }
            (_, b'\r') => At::Return,
            (_, byte) if byte == delimiter => At::Value,
            _ => At::Inside,
        };
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: Shape = Shape::Csv { delimiter: b',', quote: b'"' };

    fn records(text: &str, shape: Shape) -> Cut {
        cut(text.as_bytes(), shape, usize::MAX, usize::MAX)
    }

    /// Protects against a record that is decoded before all of it is there.
    #[test]
    fn an_unfinished_record_is_left() {
        assert_eq!(records("a\nb\nc", Shape::Lines), Cut { bytes: 4, records: 2 });
        assert_eq!(records("a,\"x\ny\"\nb,\"z\n", CSV), Cut { bytes: 8, records: 1 });
        assert_eq!(records("a,\"say \"\"x\n\"\"\"\nb", CSV), Cut { bytes: 15, records: 1 });
        assert_eq!(records("a,\"x\"", CSV), Cut::default());
        // A carriage return may be half of a line end.
        assert_eq!(records("a\r", CSV), Cut::default());
        assert_eq!(records("a\rb\r\nc", CSV), Cut { bytes: 5, records: 2 });
    }

    /// Protects against a quote in the middle of a value that is taken for the beginning of one, as the decoder does not.
    #[test]
    fn quotes_open_at_the_beginning_of_a_value_only() {
        assert_eq!(records("5\" pipe,x\n6\" pipe,y\n", CSV), Cut { bytes: 20, records: 2 });
    }

    /// Protects against a batch that grows without bound.
    #[test]
    fn no_more_than_asked_for() {
        assert_eq!(cut(b"a\nb\nc\n", Shape::Lines, 2, 100), Cut { bytes: 4, records: 2 });
        assert_eq!(cut(b"a\nb\nc\n", CSV, 2, 100), Cut { bytes: 4, records: 2 });
        assert_eq!(cut(b"a\nb\nc\n", Shape::Lines, 9, 3), Cut { bytes: 4, records: 2 });
        assert_eq!(cut(b"a\nb\nc\n", CSV, 9, 3), Cut { bytes: 4, records: 2 });
    }
}
