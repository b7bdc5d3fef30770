//! `mean(dep_delay)`, `quantile("air time", 0.95)`: a call as written, read with the place of every part.

use parshall_sdk::nearest;

/// What can be computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Function {
    /// Rows, or values that are not null.
    Count,
    /// Different values that are not null.
    CountDistinct,
    /// Their sum.
    Sum,
    /// Their arithmetic mean.
    Mean,
    /// The smallest.
    Min,
    /// The greatest.
    Max,
    /// The value below which this share of them lies.
    Quantile(f64),
}

/// A call: a function, and the column that it is applied to.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The function.
    pub function: Function,
    /// The column's name, and its place in the text. None for `count()`.
    pub column: Option<(String, usize)>,
}

/// What is wrong with a call, and at which byte.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    /// From 0.
    pub offset: usize,
    /// What is wrong and what was expected.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

// === impl Function ===

impl Function {
    /// As it is written. A median is a quantile.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::CountDistinct => "count_distinct",
            Self::Sum => "sum",
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Max => "max",
            Self::Quantile(_) => "quantile",
        }
    }
}

const NAMES: [&str; 8] = ["count", "sum", "mean", "min", "max", "count_distinct", "quantile", "median"];

struct Text<'a> {
    text: &'a str,
    at: usize,
}

/// Reads a call.
pub fn read(text: &str) -> Result<Call, Mistake> {
    let mut text = Text { text, at: 0 };
    text.blank();
    let (start, written) = (text.at, text.word());
    let name = &*written.to_ascii_lowercase();
    if !NAMES.contains(&name) {
        return Err(unknown(start, written, name));
    }
    text.expect('(', &format!("after `{name}`"))?;
    let column = text.column()?;
    if column.is_none() && name != "count" {
        return Err(mistake(text.at, format!("`{name}` needs a column"), Some(format!("write `{name}(COLUMN)`"))));
    }
    let function = match name {
        "count" => Function::Count,
        "count_distinct" => Function::CountDistinct,
        "sum" => Function::Sum,
        "mean" => Function::Mean,
        "min" => Function::Min,
        "max" => Function::Max,
        "quantile" => Function::Quantile(text.share()?),
        _ => Function::Quantile(0.5),
    };
    text.expect(')', "at the end of the call")?;
    text.blank();
    if !text.rest().is_empty() {
        return Err(mistake(text.at, "expected nothing after the call".into(), None));
    }
    Ok(Call { function, column })
}

fn mistake(offset: usize, message: String, help: Option<String>) -> Mistake {
    Mistake { offset, message, help }
}

#[cold]
fn unknown(offset: usize, written: &str, name: &str) -> Mistake {
    if name.is_empty() {
        return mistake(offset, "expected a function".into(), Some("for example `count()` or `mean(COLUMN)`".into()));
    }
    // What other tools call them.
    let near = match name {
        "avg" | "average" => Some("mean"),
        "nunique" | "n_distinct" | "approx_distinct" => Some("count_distinct"),
        "percentile" | "percentile_cont" | "quantile_cont" => Some("quantile"),
        "minimum" => Some("min"),
        "maximum" => Some("max"),
        _ => nearest(name, NAMES),
    };
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the functions are `{}`", NAMES.join("`, `")),
    };
    mistake(offset, format!("there is no function `{written}`"), Some(help))
}

// === impl Text ===

impl<'a> Text<'a> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn blank(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn word(&mut self) -> &'a str {
        let start = self.at;
        let ends = |c: char| !c.is_ascii_alphanumeric() && c != '_';
        self.at += self.rest().find(ends).unwrap_or(self.rest().len());
        &self.text[start..self.at]
    }

    fn expect(&mut self, wanted: char, place: &str) -> Result<(), Mistake> {
        self.blank();
        if !self.rest().starts_with(wanted) {
            return Err(mistake(self.at, format!("expected `{wanted}` {place}"), None));
        }
        self.at += 1;
        Ok(())
    }

    /// A column's name: as it is, or in double quotes where it has `(`, `)`, `,` or `"` in it. None for nothing and for `*`.
    fn column(&mut self) -> Result<Option<(String, usize)>, Mistake> {
        self.blank();
        let start = self.at;
        if self.rest().starts_with('"') {
            return self.quoted().map(|name| Some((name, start)));
        }
        let end = self.rest().find([',', ')', '(', '"']).unwrap_or(self.rest().len());
        let name = self.rest()[..end].trim_end().to_string();
        self.at += end;
        if name.is_empty() && self.rest().starts_with(',') {
            return Err(mistake(start, "expected a column".into(), None));
        }
        Ok((!name.is_empty() && name != "*").then_some((name, start)))
    }

    fn quoted(&mut self) -> Result<String, Mistake> {
        let start = self.at;
        let mut name = String::new();
        loop {
            self.at += 1;
            let Some(end) = self.rest().find('"') else {
                return Err(mistake(start, "this quote is never closed".into(), None));
            };
            name.push_str(&self.rest()[..end]);
            self.at += end + 1;
            if !self.rest().starts_with('"') {
                return Ok(name);
            }
            // A doubled quote stands for one, as in SQL.
            name.push('"');
        }
    }

    fn share(&mut self) -> Result<f64, Mistake> {
        self.expect(',', "and a number from 0 to 1: `quantile(COLUMN, 0.95)`")?;
        self.blank();
        let start = self.at;
        let ends = |c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+' | 'e' | 'E');
        self.at += self.rest().find(ends).unwrap_or(self.rest().len());
        match self.text[start..self.at].parse::<f64>() {
            Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
            Ok(share) if share > 1.0 && share <= 100.0 => {
                let help = Some("a quantile is a share, not a percentage: 0.95, not 95".into());
                Err(mistake(start, "expected a number from 0 to 1".into(), help))
            }
            _ => Err(mistake(start, "expected a number from 0 to 1".into(), None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(text: &str) -> Option<(String, usize)> {
        read(text).unwrap().column
    }

    /// Protects against a way of writing a call that is not understood.
    #[test]
    fn calls_are_read() {
        assert_eq!(read("count()"), Ok(Call { function: Function::Count, column: None }));
        assert_eq!(column(" mean ( dep_delay ) "), Some(("dep_delay".into(), 8)));
        assert_eq!(column("min(air time)"), Some(("air time".into(), 4)));
        assert_eq!(column("max(\"a \"\"b\"\", (c)\")"), Some(("a \"b\", (c)".into(), 4)));
        assert_eq!(read("COUNT( * )"), Ok(Call { function: Function::Count, column: None }));
        assert_eq!(column("count(\"*\")"), Some(("*".into(), 6)));
        assert_eq!(read("Count_Distinct(X)"), Ok(Call { function: Function::CountDistinct, column: Some(("X".into(), 15)) }));
        assert_eq!(read("quantile(x, 0.95)").unwrap().function, Function::Quantile(0.95));
        assert_eq!(read("median(x)").unwrap().function, Function::Quantile(0.5));
    }

    /// Protects against a mistake that is reported without its place, or with bad advice.
    #[test]
    fn mistakes_have_their_place() {
        for (text, offset, message) in [
            ("", 0, "expected a function"),
            ("meen(x)", 0, "there is no function `meen`"),
            ("mean x", 5, "expected `(` after `mean`"),
            ("mean()", 5, "`mean` needs a column"),
            ("SUM(*)", 5, "`sum` needs a column"),
            ("Stddev(x)", 0, "there is no function `Stddev`"),
            ("mean(x", 6, "expected `)` at the end of the call"),
            ("mean(x) + 1", 8, "expected nothing after the call"),
            ("mean(x, 1)", 6, "expected `)` at the end of the call"),
            ("count(,)", 6, "expected a column"),
            ("mean(\"x)", 5, "this quote is never closed"),
            ("quantile(x)", 10, "expected `,` and a number from 0 to 1: `quantile(COLUMN, 0.95)`"),
            ("quantile(x, 95)", 12, "expected a number from 0 to 1"),
            ("quantile(x, nan)", 12, "expected a number from 0 to 1"),
            ("quantile(x, -0.1)", 12, "expected a number from 0 to 1"),
        ] {
            let mistake = read(text).expect_err(text);
            assert_eq!((mistake.offset, mistake.message.as_str()), (offset, message), "{text}");
        }
        let help = |text| read(text).unwrap_err().help.unwrap();
        assert_eq!(help("meen(x)"), "did you mean `mean`?");
        assert_eq!(help("avg(x)"), "did you mean `mean`?");
        assert_eq!(help("AVG(x)"), "did you mean `mean`?");
        assert!(help("quantile(x, 95)").contains("0.95, not 95"));
        assert!(help("stddev(x)").starts_with("the functions are `count`"));
    }
}
