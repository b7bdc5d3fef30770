//! Casts. What cannot be converted fails with its row, or becomes null where `TRY_CAST` asked for that.

use std::fmt::Write;

use arrow_buffer::{BooleanBufferBuilder, NullBuffer, ScalarBuffer};

use super::{
    arithmetic::counts,
    calendar::{DAY, offset_of, parse_date, parse_moment, write_date, write_time},
    eights::{EIGHT, floated},
    lanes::floats,
    text::Builder,
};
use crate::{
    mistake::Failure,
    node::Active,
    types::{Type, per_second},
    value::{Data, Strings, Value, Vector, union},
};

/// One conversion.
#[derive(Clone, Copy)]
pub struct Cast<'a> {
    pub from: &'a Type,
    pub to: &'a Type,
    pub forgiving: bool,
    pub offset: u32,
}

// === impl Cast ===

impl Cast<'_> {
    /// Whether there is such a conversion.
    pub fn is_possible(from: &Type, to: &Type) -> bool {
        use Type::*;
        match (from, to) {
            (Opaque(_), _) | (_, Opaque(_)) => false,
            (Null, _) | (Text, _) | (_, Text) => true,
            (Bool | Int | Float, Bool | Int | Float) => true,
            (Date | Timestamp(..), Date | Timestamp(..)) => true,
            _ => false,
        }
    }

    /// Whether a value that is not null can become null.
    pub fn can_lose(&self) -> bool {
        self.forgiving && !matches!((self.from, self.to), (_, Type::Text) | (Type::Int | Type::Bool, _))
    }

    /// Converts a column.
    pub fn apply(&self, value: &Value, active: Active) -> Result<Value, Failure> {
        let Value::Many(Vector { data, nulls }) = value else { unreachable!("a single value is repeated before") };
        let same = |data| Ok(Value::many(data, nulls.clone()));
        match (data, self.to) {
            (Data::Text(texts), Type::Text) => same(Data::Text(texts.clone())),
            (_, Type::Text) => same(Data::Text(self.texts(data))),
            (Data::Text(texts), _) => self.parsed(texts, nulls.as_ref(), active),
            (Data::Bool(bits), Type::Int) => same(Data::Int(bits.iter().map(i64::from).collect())),
            (Data::Bool(bits), Type::Float) => same(Data::Float(bits.iter().map(|bit| f64::from(u8::from(bit))).collect())),
            (Data::Int(values), Type::Bool) => same(Data::Bool(values.iter().map(|value| *value != 0).collect())),
            (Data::Float(values), Type::Bool) => same(Data::Bool(values.iter().map(|value| *value != 0.0).collect())),
            (Data::Int(values), Type::Float) => same(Data::Float(floated(values, values, floats, |_| [0.0; EIGHT], |value, _| value))),
            (Data::Float(values), Type::Int) => {
                let whole = self.each(values.len(), nulls.as_ref(), active, |row| {
                    let nearest = values[row].round_ties_even();
                    // 2⁶³ itself is beyond; −2⁶³ is not. NaN is in no range.
                    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&nearest);
                    fits.then_some(nearest as i64).ok_or_else(|| format!("{:?} is beyond int64", values[row]))
                })?;
                Ok(Value::many(Data::Int(whole.0), whole.1))
            }
            (Data::Int(values), to) if to.is_time() => self.times(values, nulls.as_ref(), active),
            (data, _) => same(data.clone()),
        }
    }

    /// Between dates and timestamps of any unit.
    fn times(&self, values: &[i64], nulls: Option<&NullBuffer>, active: Active) -> Result<Value, Failure> {
        let (made, nulls) = match (self.from, self.to) {
            (Type::Timestamp(unit, zone), Type::Date) => {
                let (units, east) = (per_second(*unit), zone.as_deref().and_then(offset_of).unwrap_or(0));
                let day = |value: &i64| (value.div_euclid(units) + east).div_euclid(DAY);
                (values.iter().map(day).collect(), nulls.cloned())
            }
            (Type::Date, Type::Timestamp(unit, zone)) => {
                let east = zone.as_deref().and_then(offset_of).unwrap_or(0);
                let units = per_second(*unit);
                self.each(values.len(), nulls, active, |row| (values[row] * DAY - east).checked_mul(units).ok_or_else(|| self.beyond()))?
            }
            (Type::Timestamp(from, _), Type::Timestamp(to, _)) => {
                let (from, to) = (per_second(*from), per_second(*to));
                if from >= to {
                    (values.iter().map(|value| value.div_euclid(from / to)).collect(), nulls.cloned())
                } else {
                    self.each(values.len(), nulls, active, |row| values[row].checked_mul(to / from).ok_or_else(|| self.beyond()))?
                }
            }
            _ => (values.iter().copied().collect(), nulls.cloned()),
        };
        Ok(Value::many(Data::Int(made), nulls))
    }

    fn parsed(&self, texts: &Strings, nulls: Option<&NullBuffer>, active: Active) -> Result<Value, Failure> {
        let rows = texts.len();
        let refused = |row: usize| format!("'{}' is no {}", shortened(texts.get(row)), self.to.name());
        Ok(match self.to {
            Type::Float => {
                let (made, nulls) = self.each(rows, nulls, active, |row| texts.get(row).trim().parse::<f64>().map_err(|_| refused(row)))?;
                Value::many(Data::Float(made), nulls)
            }
            Type::Bool => {
                let (made, nulls) = self.each(rows, nulls, active, |row| truth(texts.get(row)).ok_or_else(|| refused(row)))?;
                Value::many(Data::Bool(made.iter().map(|flag| *flag != 0).collect()), nulls)
            }
            _ => {
                let (made, nulls) = self.each(rows, nulls, active, |row| self.integer(texts.get(row)).ok_or_else(|| refused(row)))?;
                Value::many(Data::Int(made), nulls)
            }
        })
    }

    fn integer(&self, text: &str) -> Option<i64> {
        match self.to {
            Type::Int => text.trim().parse().ok(),
            Type::Date => parse_date(text).or_else(|| parse_moment(text).map(|moment| moment.days)),
            Type::Timestamp(unit, zone) => {
                let moment = parse_moment(text)?;
                // Without a zone of its own it is meant where the column's zone is; one without a zone counts UTC.
                let east = moment.zone.or_else(|| zone.as_deref().and_then(offset_of)).unwrap_or(0);
                let units = per_second(*unit);
                let seconds = moment.days * DAY - east;
                seconds.checked_mul(units)?.checked_add(moment.nanoseconds / (1_000_000_000 / units))
            }
            _ => None,
        }
    }

    fn texts(&self, data: &Data) -> Strings {
        let mut line = String::new();
        let mut written = |rows: usize, write: &mut dyn FnMut(&mut String, usize)| {
            let mut builder = Builder::new(rows);
            for row in 0..rows {
                line.clear();
                write(&mut line, row);
                builder.extend(&line);
                builder.end();
            }
            builder.finish()
        };
        match (data, self.from) {
            (Data::Bool(bits), _) => written(bits.len(), &mut |line, row| line.push_str(if bits.value(row) { "true" } else { "false" })),
            (Data::Float(values), _) => written(values.len(), &mut |line, row| {
                let _ = write!(line, "{:?}", values[row]);
            }),
            (Data::Int(values), Type::Date) => written(values.len(), &mut |line, row| write_date(line, values[row])),
            (Data::Int(values), Type::Timestamp(unit, zone)) => {
                let units = per_second(*unit);
                let east = zone.as_deref().and_then(offset_of);
                written(values.len(), &mut |line, row| {
                    let seconds = values[row].div_euclid(units) + east.unwrap_or(0);
                    write_date(line, seconds.div_euclid(DAY));
                    write_time(line, seconds.rem_euclid(DAY), values[row].rem_euclid(units) * (1_000_000_000 / units));
                    if let Some(east) = east {
                        let _ = write!(line, "{}{:02}:{:02}", if east < 0 { '-' } else { '+' }, east.abs() / 3_600, east.abs() / 60 % 60);
                    }
                })
            }
            (Data::Int(values), _) => written(values.len(), &mut |line, row| {
                let _ = write!(line, "{}", values[row]);
            }),
            (Data::Text(texts), _) => texts.clone(),
        }
    }

    /// Converts row by row. Rows that are null or of no consequence may fail.
    fn each<T: Copy + Default + Stored>(
        &self,
        rows: usize,
        nulls: Option<&NullBuffer>,
        active: Active,
        convert: impl Fn(usize) -> Result<T, String>,
    ) -> Result<(T::Column, Option<NullBuffer>), Failure> {
        let mut made = Vec::with_capacity(rows);
        let mut lost: Option<BooleanBufferBuilder> = None;
        for row in 0..rows {
            made.push(if !counts(row, nulls, active) {
                T::default()
            } else {
                match convert(row) {
                    Ok(value) => value,
                    Err(_) if self.forgiving => {
                        let lost = lost.get_or_insert_with(|| {
                            let mut all = BooleanBufferBuilder::new(rows);
                            all.append_n(rows, true);
                            all
                        });
                        lost.set_bit(row, false);
                        T::default()
                    }
                    Err(message) => return Err(Failure { offset: self.offset, row, message }),
                }
            });
        }
        let lost = lost.map(|mut valid| NullBuffer::new(valid.finish()));
        Ok((T::column(made), union(nulls, lost.as_ref())))
    }

    fn beyond(&self) -> String {
        format!("a {} is beyond {}", self.from.name(), self.to.name())
    }
}

/// What is converted to.
trait Stored: Sized {
    type Column;
    fn column(values: Vec<Self>) -> Self::Column;
}

impl Stored for i64 {
    type Column = ScalarBuffer<i64>;
    fn column(values: Vec<Self>) -> Self::Column {
        values.into()
    }
}

impl Stored for f64 {
    type Column = ScalarBuffer<f64>;
    fn column(values: Vec<Self>) -> Self::Column {
        values.into()
    }
}

fn truth(text: &str) -> Option<i64> {
    let is = |names: [&str; 4]| names.iter().any(|name| text.trim().eq_ignore_ascii_case(name));
    match () {
        _ if is(["true", "t", "yes", "1"]) => Some(1),
        _ if is(["false", "f", "no", "0"]) => Some(0),
        _ => None,
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        None => text.into(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
