//! Every supported type in, and out again.

use arrow_array::*;
use arrow_data::ArrayData;
use arrow_schema::{DataType, TimeUnit};

use crate::{Kind, Values, calendar, castable, make, named, nulls_of, read};

fn shown(data: ArrayData) -> Vec<String> {
    let kind = Kind::of(data.data_type()).unwrap();
    let values = read(data).unwrap();
    (0..values.len()).map(|row| values.show(&kind, row)).collect()
}

/// Protects against a type that is read wrong, or its nulls lost.
#[test]
fn every_type_is_read() {
    assert_eq!(shown(Int8Array::from(vec![Some(-1), None]).into_data()), ["-1", "null"]);
    assert_eq!(shown(UInt32Array::from(vec![u32::MAX]).into_data()), ["4294967295"]);
    assert_eq!(shown(Float32Array::from(vec![0.5]).into_data()), ["0.5"]);
    let decimal = Decimal128Array::from(vec![12345, -5]).with_precision_and_scale(10, 2).unwrap();
    assert_eq!(shown(decimal.into_data()), ["123.45", "-0.05"]);
    assert_eq!(shown(LargeStringArray::from(vec![Some("ä"), None]).slice(0, 2).into_data()), ["ä", "null"]);
    assert_eq!(shown(StringViewArray::from(vec!["short", "longer than twelve bytes"]).into_data()), ["short", "longer than twelve bytes"]);
    assert_eq!(shown(Date32Array::from(vec![19_000]).into_data()), ["2022-01-08"]);
    assert_eq!(shown(TimestampNanosecondArray::from(vec![-1]).into_data()), ["1969-12-31T23:59:59.999999"]);
    let dictionary: DictionaryArray<types::Int8Type> = [Some("a"), None, Some("b"), Some("a")].into_iter().collect();
    assert_eq!(shown(dictionary.into_data()), ["a", "null", "b", "a"]);
    let runs: RunArray<types::Int32Type> = ["x", "x", "y"].into_iter().collect();
    assert_eq!(shown(runs.into_data()), ["x", "x", "y"]);
}

/// Protects against a number that wraps on its way in.
#[test]
fn what_is_beyond_int64_is_an_error() {
    assert!(read(UInt64Array::from(vec![u64::MAX]).into_data()).is_err());
    assert!(read(TimestampSecondArray::from(vec![i64::MAX]).into_data()).is_err());
}

/// Protects against a null that hides behind a valid key.
#[test]
fn nulls_are_logical() {
    let values = StringArray::from(vec![Some("a"), None]);
    let dictionary = DictionaryArray::<types::Int8Type>::new(Int8Array::from(vec![0, 1, 0]), std::sync::Arc::new(values));
    let nulls = nulls_of(&dictionary.into_data()).unwrap();
    assert_eq!((0..3).map(|row| nulls.is_null(row)).collect::<Vec<_>>(), [false, true, false]);
}

/// Protects against a cast that loses a value without saying so.
#[test]
fn a_failing_cast_is_told_by_row() {
    let values = Values::Text(StringArray::from(vec![Some("1"), Some("x"), None, Some("300")]));
    let made = make(&values, &Kind::Text, &DataType::Int8);
    assert_eq!(made.failed, [1, 3]);
    assert_eq!(Int8Array::from(made.data), Int8Array::from(vec![Some(1), None, None, None]));

    let values = Values::Float(Float64Array::from(vec![-2.9, f64::NAN, 9.3e18]));
    let made = make(&values, &Kind::Float, &DataType::Int64);
    assert_eq!(made.failed, [1, 2]);
    assert_eq!(Int64Array::from(made.data).value(0), -2);
}

/// Protects against every target but the tested ones being wrong: a value goes to a type and comes back.
#[test]
fn casts_come_back() {
    let values = Values::Int(Int64Array::from(vec![Some(7), None]));
    for name in ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "utf8", "large_utf8", "timestamp[ms, UTC]"] {
        let target = named(name).unwrap();
        let Values::Int(back) = read(make(&values, &Kind::Int, &target).data)
            .map(|values| match values {
                Values::Time(array) => Values::Int(array.unary(|value| value + 7)),
                Values::Text(_) => read(make(&values, &Kind::Text, &DataType::Int64).data).unwrap(),
                values => values,
            })
            .unwrap()
        else {
            panic!("{name}")
        };
        assert_eq!(back, Int64Array::from(vec![Some(7), None]), "{name}");
    }
}

/// Protects against calendars of our own making.
#[test]
fn dates_and_times_read_and_write() {
    for (text, shown) in [
        ("1970-01-01", "1970-01-01T00:00:00"),
        ("2024-02-29T23:59:59.5Z", "2024-02-29T23:59:59.500000"),
        ("1969-12-31 23:59:59.999999", "1969-12-31T23:59:59.999999"),
        ("2013-01-01T05:00:00+02:30", "2013-01-01T02:30:00"),
        ("0001-01-01T00:00", "0001-01-01T00:00:00"),
    ] {
        assert_eq!(calendar::show_time(calendar::parse_time(text).unwrap(), false), shown);
    }
    for wrong in ["2023-02-29", "2024-13-01", "2024-01-01T24:00", "2024-01-01T00:00:00.", "yesterday", "2024-01-01x"] {
        assert_eq!(calendar::parse_time(wrong), None, "{wrong}");
    }
    for day in (-800_000..800_000).step_by(37) {
        let (year, month, date) = calendar::date(day);
        assert_eq!(calendar::days(year, month, date), day);
    }
}

/// Protects against a type that is promised and then left null.
#[test]
fn castable_says_what_make_can_do() {
    assert!(castable(&Kind::Int, &DataType::Date32));
    assert!(!castable(&Kind::Bool, &DataType::Date32));
    assert!(!castable(&Kind::Int, &DataType::Decimal128(10, 2)));
    assert!(castable(&Kind::Text, &DataType::Timestamp(TimeUnit::Nanosecond, None)));
    assert_eq!(named("timestamp[ns, Europe/Berlin]"), None);
}
