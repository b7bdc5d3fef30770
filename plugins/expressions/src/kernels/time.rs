//! Parts of dates and timestamps. A timestamp with a time zone has the parts that people there see; only zones of a fixed
//! offset come this far.

use super::calendar::{DAY, Part, date, days, offset_of};
use crate::{
    types::{Type, per_second},
    value::{Data, Value, Vector},
};

/// How a value counts: units in a second, and seconds east of UTC. A date counts days.
#[derive(Clone, Copy)]
enum Clock {
    Days,
    Units { per_second: i64, east: i64 },
}

// === impl Clock ===

impl Clock {
    fn of(kind: &Type) -> Self {
        match kind {
            Type::Timestamp(unit, zone) => {
                Self::Units { per_second: per_second(*unit), east: zone.as_deref().and_then(offset_of).unwrap_or(0) }
            }
            _ => Self::Days,
        }
    }

    /// Days since 1970 and seconds of the day, as seen on the spot.
    fn read(self, value: i64) -> (i64, i64) {
        match self {
            Self::Days => (value, 0),
            Self::Units { per_second, east } => {
                let seconds = value.div_euclid(per_second) + east;
                (seconds.div_euclid(DAY), seconds.rem_euclid(DAY))
            }
        }
    }

    /// The value of a moment, as seen on the spot.
    fn write(self, days: i64, second: i64) -> i64 {
        match self {
            Self::Days => days,
            Self::Units { per_second, east } => (days * DAY + second - east).wrapping_mul(per_second),
        }
    }
}

/// `date_part`, `extract`: a whole number.
pub fn date_part(part: Part, kind: &Type, value: &Value) -> Value {
    let clock = Clock::of(kind);
    map(value, |value| {
        let (days_since, second) = clock.read(value);
        match part {
            Part::Hour => return second / 3_600,
            Part::Minute => return second / 60 % 60,
            Part::Second => return second % 60,
            // The 1st of January 1970 was a Thursday; weeks are counted from Sunday, which is 0.
            Part::DayOfWeek => return (days_since + 4).rem_euclid(7),
            Part::Epoch => {
                return match clock {
                    Clock::Days => value * DAY,
                    Clock::Units { per_second, .. } => value.div_euclid(per_second),
                };
            }
            _ => {}
        }
        let (year, month, day) = date(days_since);
        match part {
            Part::Year => year,
            Part::Quarter => i64::from(month + 2) / 3,
            Part::Month => month.into(),
            Part::DayOfYear => days_since - days(year, 1, 1) + 1,
            Part::Week => week(days_since),
            _ => day.into(),
        }
    })
}

/// The week of ISO 8601: that of the year's first Thursday is the first.
fn week(days_since: i64) -> i64 {
    let thursday = days_since - (days_since + 3).rem_euclid(7) + 3;
    let (year, ..) = date(thursday);
    (thursday - days(year, 1, 1)) / 7 + 1
}

/// `date_trunc`: the beginning of the part that a moment falls into.
pub fn date_trunc(part: Part, kind: &Type, value: &Value) -> Value {
    let clock = Clock::of(kind);
    map(value, |value| {
        let (days_since, second) = clock.read(value);
        match part {
            Part::Second => clock.write(days_since, second),
            Part::Minute => clock.write(days_since, second - second % 60),
            Part::Hour => clock.write(days_since, second - second % 3_600),
            // Weeks begin on Monday.
            Part::Week => clock.write(days_since - (days_since + 3).rem_euclid(7), 0),
            Part::Year | Part::Quarter | Part::Month => {
                let (year, month, _) = date(days_since);
                let first = match part {
                    Part::Year => 1,
                    Part::Quarter => month - (month - 1) % 3,
                    _ => month,
                };
                clock.write(days(year, first, 1), 0)
            }
            _ => clock.write(days_since, 0),
        }
    })
}

fn map(value: &Value, compute: impl Fn(i64) -> i64) -> Value {
    let Value::Many(Vector { data: Data::Int(values), nulls }) = value else {
        unreachable!("only times have parts, and are repeated before")
    };
    Value::many(Data::Int(values.iter().map(|value| compute(*value)).collect()), nulls.clone())
}
