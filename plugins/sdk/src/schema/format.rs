//! Format strings of the Arrow C data interface
//! (<https://arrow.apache.org/docs/format/CDataInterface.html#data-type-description-format-strings>).

use std::{fmt::Write, sync::Arc};

use arrow_schema::{DataType, Field, FieldRef, IntervalUnit, TimeUnit, UnionFields, UnionMode};

/// The type that a format string and the children's fields stand for; nothing if there is no such type.
pub fn parse(format: &str, children: Vec<FieldRef>, map_keys_sorted: bool) -> Option<DataType> {
    let only = |children: Vec<FieldRef>| children.into_iter().next();
    Some(match format {
        "n" => DataType::Null,
        "b" => DataType::Boolean,
        "c" => DataType::Int8,
        "C" => DataType::UInt8,
        "s" => DataType::Int16,
        "S" => DataType::UInt16,
        "i" => DataType::Int32,
        "I" => DataType::UInt32,
        "l" => DataType::Int64,
        "L" => DataType::UInt64,
        "e" => DataType::Float16,
        "f" => DataType::Float32,
        "g" => DataType::Float64,
        "z" => DataType::Binary,
        "Z" => DataType::LargeBinary,
        "vz" => DataType::BinaryView,
        "u" => DataType::Utf8,
        "U" => DataType::LargeUtf8,
        "vu" => DataType::Utf8View,
        "tdD" => DataType::Date32,
        "tdm" => DataType::Date64,
        "tts" => DataType::Time32(TimeUnit::Second),
        "ttm" => DataType::Time32(TimeUnit::Millisecond),
        "ttu" => DataType::Time64(TimeUnit::Microsecond),
        "ttn" => DataType::Time64(TimeUnit::Nanosecond),
        "tDs" => DataType::Duration(TimeUnit::Second),
        "tDm" => DataType::Duration(TimeUnit::Millisecond),
        "tDu" => DataType::Duration(TimeUnit::Microsecond),
        "tDn" => DataType::Duration(TimeUnit::Nanosecond),
        "tiM" => DataType::Interval(IntervalUnit::YearMonth),
        "tiD" => DataType::Interval(IntervalUnit::DayTime),
        "tin" => DataType::Interval(IntervalUnit::MonthDayNano),
        "+l" => DataType::List(only(children)?),
        "+L" => DataType::LargeList(only(children)?),
        "+vl" => DataType::ListView(only(children)?),
        "+vL" => DataType::LargeListView(only(children)?),
        "+s" => DataType::Struct(children.into()),
        "+m" => DataType::Map(only(children)?, map_keys_sorted),
        "+r" => {
            let [run_ends, values] = <[FieldRef; 2]>::try_from(children).ok()?;
            DataType::RunEndEncoded(run_ends, values)
        }
        _ => return parse_parameters(format, children),
    })
}

fn parse_parameters(format: &str, children: Vec<FieldRef>) -> Option<DataType> {
    let (kind, parameters) = format.split_once(':')?;
    Some(match kind {
        "w" => DataType::FixedSizeBinary(parameters.parse().ok()?),
        "+w" => DataType::FixedSizeList(children.into_iter().next()?, parameters.parse().ok()?),
        "d" => parse_decimal(parameters)?,
        "tss" | "tsm" | "tsu" | "tsn" => DataType::Timestamp(parse_unit(kind)?, (!parameters.is_empty()).then(|| Arc::from(parameters))),
        "+ud" => DataType::Union(parse_union(parameters, children)?, UnionMode::Dense),
        "+us" => DataType::Union(parse_union(parameters, children)?, UnionMode::Sparse),
        _ => return None,
    })
}

fn parse_decimal(parameters: &str) -> Option<DataType> {
    let mut numbers = parameters.split(',');
    let (precision, scale) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    Some(match numbers.next().unwrap_or("128") {
        "32" => DataType::Decimal32(precision, scale),
        "64" => DataType::Decimal64(precision, scale),
        "128" => DataType::Decimal128(precision, scale),
        "256" => DataType::Decimal256(precision, scale),
        _ => return None,
    })
}

fn parse_unit(kind: &str) -> Option<TimeUnit> {
    Some(match kind.as_bytes().last()? {
        b's' => TimeUnit::Second,
        b'm' => TimeUnit::Millisecond,
        b'u' => TimeUnit::Microsecond,
        b'n' => TimeUnit::Nanosecond,
        _ => return None,
    })
}

fn parse_union(parameters: &str, children: Vec<FieldRef>) -> Option<UnionFields> {
    let ids: Vec<i8> =
        if parameters.is_empty() { Vec::new() } else { parameters.split(',').map(|id| id.parse().ok()).collect::<Option<_>>()? };
    if ids.len() != children.len() {
        return None;
    }
    UnionFields::try_new(ids, children).ok()
}

/// The format string of a type. A dictionary has that of its keys.
pub fn write(data_type: &DataType) -> String {
    let constant = match data_type {
        DataType::Null => "n",
        DataType::Boolean => "b",
        DataType::Int8 => "c",
        DataType::UInt8 => "C",
        DataType::Int16 => "s",
        DataType::UInt16 => "S",
        DataType::Int32 => "i",
        DataType::UInt32 => "I",
        DataType::Int64 => "l",
        DataType::UInt64 => "L",
        DataType::Float16 => "e",
        DataType::Float32 => "f",
        DataType::Float64 => "g",
        DataType::Binary => "z",
        DataType::LargeBinary => "Z",
        DataType::BinaryView => "vz",
        DataType::Utf8 => "u",
        DataType::LargeUtf8 => "U",
        DataType::Utf8View => "vu",
        DataType::Date32 => "tdD",
        DataType::Date64 => "tdm",
        DataType::Interval(IntervalUnit::YearMonth) => "tiM",
        DataType::Interval(IntervalUnit::DayTime) => "tiD",
        DataType::Interval(IntervalUnit::MonthDayNano) => "tin",
        DataType::List(_) => "+l",
        DataType::LargeList(_) => "+L",
        DataType::ListView(_) => "+vl",
        DataType::LargeListView(_) => "+vL",
        DataType::Struct(_) => "+s",
        DataType::Map(..) => "+m",
        DataType::RunEndEncoded(..) => "+r",
        _ => "",
    };
    let mut text = constant.to_string();
    match data_type {
        DataType::Dictionary(keys, _) => return write(keys),
        DataType::FixedSizeBinary(width) => _ = write!(text, "w:{width}"),
        DataType::FixedSizeList(_, length) => _ = write!(text, "+w:{length}"),
        DataType::Decimal32(precision, scale) => _ = write!(text, "d:{precision},{scale},32"),
        DataType::Decimal64(precision, scale) => _ = write!(text, "d:{precision},{scale},64"),
        DataType::Decimal128(precision, scale) => _ = write!(text, "d:{precision},{scale}"),
        DataType::Decimal256(precision, scale) => _ = write!(text, "d:{precision},{scale},256"),
        DataType::Time32(unit) | DataType::Time64(unit) => _ = write!(text, "tt{}", unit_letter(unit)),
        DataType::Duration(unit) => _ = write!(text, "tD{}", unit_letter(unit)),
        DataType::Timestamp(unit, zone) => _ = write!(text, "ts{}:{}", unit_letter(unit), zone.as_deref().unwrap_or("")),
        DataType::Union(fields, mode) => {
            text.push_str(if *mode == UnionMode::Dense { "+ud:" } else { "+us:" });
            for (index, (id, _)) in fields.iter().enumerate() {
                _ = write!(text, "{}{id}", if index == 0 { "" } else { "," });
            }
        }
        _ => {}
    }
    text
}

/// Words for the letters; what stands behind a colon is a parameter.
const NAMES: &str = "n null b bool c int8 C uint8 s int16 S uint16 i int32 I uint32 l int64 L uint64 e float16 f float32 g float64 \
    z binary Z large_binary vz binary_view u utf8 U large_utf8 vu utf8_view tdD date32 tdm date64 \
    tts time32[s] ttm time32[ms] ttu time64[us] ttn time64[ns] tDs duration[s] tDm duration[ms] tDu duration[us] tDn duration[ns] \
    tiM interval[year_month] tiD interval[day_time] tin interval[month_day_nano] \
    tss timestamp[s] tsm timestamp[ms] tsu timestamp[us] tsn timestamp[ns] d decimal w fixed_size_binary \
    +l list +L large_list +vl list_view +vL large_list_view +w fixed_size_list +s struct +m map +r run_end_encoded +ud union +us union";

/// A type as a person reads it, with its letter: `int64 (l)`.
pub fn said(data_type: &DataType) -> String {
    if let DataType::Dictionary(_, values) = data_type {
        return format!("a dictionary of {}", said(values));
    }
    let format = write(data_type);
    let letters = format.split(':').next().unwrap_or_default();
    let mut words = NAMES.split(' ');
    while let (Some(key), Some(name)) = (words.next(), words.next()) {
        if key == letters {
            return format!("{name} ({format})");
        }
    }
    format!("a type of the format `{format}`")
}

fn unit_letter(unit: &TimeUnit) -> char {
    match unit {
        TimeUnit::Second => 's',
        TimeUnit::Millisecond => 'm',
        TimeUnit::Microsecond => 'u',
        TimeUnit::Nanosecond => 'n',
    }
}

/// The children of a type, in order. A dictionary has none: its values follow it instead.
pub fn children(data_type: &DataType) -> Vec<&Field> {
    match data_type {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => vec![field],
        DataType::Struct(fields) => fields.iter().map(|field| field.as_ref()).collect(),
        DataType::Union(fields, _) => fields.iter().map(|(_, field)| field.as_ref()).collect(),
        DataType::RunEndEncoded(run_ends, values) => vec![run_ends, values],
        _ => Vec::new(),
    }
}

/// How many children a format needs, if that is fixed.
pub fn child_count(format: &str) -> Option<usize> {
    match format {
        "+l" | "+L" | "+vl" | "+vL" | "+m" => Some(1),
        "+r" => Some(2),
        "+s" => None,
        _ if format.starts_with("+w:") => Some(1),
        _ if format.starts_with("+u") => None,
        _ => Some(0),
    }
}
