//! The names of column types in options and messages: `int64`, `timestamp[us, UTC]`, `list<utf8>`.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};

use super::nearest::hint;

/// Types that are a word; the first word of a type is how it is shown.
const SIMPLE: [(&str, DataType); 31] = [
    ("null", DataType::Null),
    ("bool", DataType::Boolean),
    ("boolean", DataType::Boolean),
    ("int8", DataType::Int8),
    ("int16", DataType::Int16),
    ("int32", DataType::Int32),
    ("int64", DataType::Int64),
    ("uint8", DataType::UInt8),
    ("uint16", DataType::UInt16),
    ("uint32", DataType::UInt32),
    ("uint64", DataType::UInt64),
    ("float16", DataType::Float16),
    ("float32", DataType::Float32),
    ("float64", DataType::Float64),
    ("float", DataType::Float32),
    ("double", DataType::Float64),
    ("utf8", DataType::Utf8),
    ("string", DataType::Utf8),
    ("large_utf8", DataType::LargeUtf8),
    ("utf8_view", DataType::Utf8View),
    ("binary", DataType::Binary),
    ("large_binary", DataType::LargeBinary),
    ("binary_view", DataType::BinaryView),
    ("date32", DataType::Date32),
    ("date64", DataType::Date64),
    ("date", DataType::Date32),
    ("interval[year_month]", DataType::Interval(IntervalUnit::YearMonth)),
    ("interval[day_time]", DataType::Interval(IntervalUnit::DayTime)),
    ("interval[month_day_nano]", DataType::Interval(IntervalUnit::MonthDayNano)),
    ("time32[s]", DataType::Time32(TimeUnit::Second)),
    ("time32[ms]", DataType::Time32(TimeUnit::Millisecond)),
];

/// The beginnings of types that take arguments, for suggestions.
const FAMILIES: [&str; 8] = [
    "timestamp[us]",
    "timestamp[us, UTC]",
    "time64[us]",
    "duration[us]",
    "decimal128(10, 2)",
    "decimal256(40, 2)",
    "list<int64>",
    "struct<a: int64>",
];

/// Nested types go no deeper.
const DEPTH_LIMIT: usize = 16;

/// Reads a type's name. The error says what is wrong and what may have been meant.
pub fn parse(text: &str) -> Result<DataType, String> {
    parse_nested(text.trim(), 0)
}

/// The name of a type; what has no name here is shown as Arrow shows it.
pub fn show(data_type: &DataType) -> String {
    if let Some(known) = SIMPLE.iter().find(|known| known.1 == *data_type) {
        return known.0.into();
    }
    match data_type {
        DataType::Time64(unit) => format!("time64[{}]", unit_name(unit)),
        DataType::Duration(unit) => format!("duration[{}]", unit_name(unit)),
        DataType::Timestamp(unit, None) => format!("timestamp[{}]", unit_name(unit)),
        DataType::Timestamp(unit, Some(zone)) => format!("timestamp[{}, {zone}]", unit_name(unit)),
        DataType::Decimal128(precision, scale) => format!("decimal128({precision}, {scale})"),
        DataType::Decimal256(precision, scale) => format!("decimal256({precision}, {scale})"),
        DataType::List(item) => format!("list<{}>", show(item.data_type())),
        DataType::Struct(fields) => {
            let fields = fields.iter().map(|field| format!("{}: {}", field.name(), show(field.data_type())));
            format!("struct<{}>", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn parse_nested(text: &str, depth: usize) -> Result<DataType, String> {
    if depth > DEPTH_LIMIT {
        return Err(format!("a type may be nested {DEPTH_LIMIT} deep at most"));
    }
    let lower = text.to_ascii_lowercase();
    if let Some(known) = SIMPLE.iter().find(|known| known.0 == lower) {
        return Ok(known.1.clone());
    }
    let Some((family, arguments)) = arguments(text) else {
        return Err(unknown(text));
    };
    match family.to_ascii_lowercase().as_str() {
        "timestamp" => timestamp(&arguments),
        "time32" | "time64" => time(&family.to_ascii_lowercase(), &arguments),
        "duration" => one(&arguments).and_then(unit).map(DataType::Duration),
        "decimal128" | "decimal256" | "decimal" => decimal(family, &arguments),
        "list" => {
            let item = parse_nested(one(&arguments)?, depth + 1)?;
            Ok(DataType::List(Arc::new(Field::new_list_field(item, true))))
        }
        "struct" => structure(&arguments, depth),
        _ => Err(unknown(text)),
    }
}

fn unknown(text: &str) -> String {
    let known = SIMPLE.iter().map(|known| known.0).chain(FAMILIES);
    format!(
        "{text:?} is no type{}; known are int8…int64, uint8…uint64, float16…float64, bool, utf8, binary, date32, {}",
        hint(text, known),
        FAMILIES.join(", ")
    )
}

/// `family<a, b>` taken apart at the commas of the outermost level.
fn arguments(text: &str) -> Option<(&str, Vec<&str>)> {
    let open = text.find(['[', '(', '<'])?;
    let close = match text.as_bytes()[open] {
        b'[' => ']',
        b'(' => ')',
        _ => '>',
    };
    let inner = text[open + 1..].strip_suffix(close)?;
    let (mut parts, mut depth, mut start) = (Vec::new(), 0i32, 0);
    for (at, c) in inner.char_indices() {
        match c {
            '[' | '(' | '<' => depth += 1,
            ']' | ')' | '>' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(inner[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(inner[start..].trim());
    Some((text[..open].trim(), parts))
}

fn one<'a>(arguments: &[&'a str]) -> Result<&'a str, String> {
    match arguments {
        [only] if !only.is_empty() => Ok(only),
        _ => Err(format!("one argument is expected, not {}", arguments.len())),
    }
}

fn unit(text: &str) -> Result<TimeUnit, String> {
    match text {
        "s" => Ok(TimeUnit::Second),
        "ms" => Ok(TimeUnit::Millisecond),
        "us" | "µs" => Ok(TimeUnit::Microsecond),
        "ns" => Ok(TimeUnit::Nanosecond),
        other => Err(format!("{other:?} is no unit of time; known are s, ms, us, ns")),
    }
}

fn unit_name(unit: &TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}

fn timestamp(arguments: &[&str]) -> Result<DataType, String> {
    match arguments {
        [text] => Ok(DataType::Timestamp(unit(text)?, None)),
        [text, zone] if !zone.is_empty() => Ok(DataType::Timestamp(unit(text)?, Some((*zone).into()))),
        _ => Err("a timestamp is written timestamp[us] or timestamp[us, UTC]".into()),
    }
}

fn time(family: &str, arguments: &[&str]) -> Result<DataType, String> {
    let unit = unit(one(arguments)?)?;
    match (family, unit) {
        ("time32", TimeUnit::Second | TimeUnit::Millisecond) => Ok(DataType::Time32(unit)),
        ("time64", TimeUnit::Microsecond | TimeUnit::Nanosecond) => Ok(DataType::Time64(unit)),
        _ => Err("times are time32[s], time32[ms], time64[us] and time64[ns]".into()),
    }
}

fn decimal(family: &str, arguments: &[&str]) -> Result<DataType, String> {
    let wrong = || format!("a decimal is written {family}(precision, scale), for example decimal128(10, 2)");
    let [precision, scale] = arguments else { return Err(wrong()) };
    let (precision, scale) = (precision.parse().map_err(|_| wrong())?, scale.parse().map_err(|_| wrong())?);
    let wide = family.eq_ignore_ascii_case("decimal256");
    let limit = if wide { 76u8 } else { 38 };
    if precision == 0 || precision > limit || i16::from(scale) > i16::from(precision) {
        return Err(format!("{family} has a precision of 1 to {limit} and a scale within it"));
    }
    Ok(if wide { DataType::Decimal256(precision, scale) } else { DataType::Decimal128(precision, scale) })
}

fn structure(arguments: &[&str], depth: usize) -> Result<DataType, String> {
    let field = |text: &&str| {
        let (name, data_type) = text.split_once(':').ok_or("a struct is written struct<name: type, …>")?;
        Ok::<_, String>(Field::new(name.trim(), parse_nested(data_type.trim(), depth + 1)?, true))
    };
    Ok(DataType::Struct(arguments.iter().map(field).collect::<Result<Fields, _>>()?))
}
