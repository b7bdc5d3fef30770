//! Aggregation without a host.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, UInt64Array, make_array};

use super::*;
use crate::{config::Config, plan::plan};

fn config(group_by: &[&str], aggregates: &[&str]) -> Config {
    Config {
        group_by: group_by.iter().map(|name| name.to_string()).collect(),
        aggregates: crate::config::Written(aggregates.iter().map(|text| (text.to_string(), text.to_string())).collect()),
    }
}

fn planned(group_by: &[&str], aggregates: &[&str], columns: &[(&str, ArrayRef)]) -> Plan {
    let fields: Vec<Field> = columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    plan(&config(group_by, aggregates), &Schema::new(fields)).unwrap()
}

fn take(aggregation: &mut Aggregation, columns: &[(&str, ArrayRef)]) {
    let read = aggregation.reads().iter().map(|&index| columns[index].1.to_data()).collect();
    aggregation.take(columns[0].1.len(), read);
}

fn all(aggregation: &mut Aggregation) -> Vec<ArrayRef> {
    let (_, columns) = aggregation.give().unwrap().expect("there are groups");
    assert!(aggregation.give().unwrap().is_none(), "one batch");
    columns.into_iter().map(make_array).collect()
}

fn once(group_by: &[&str], aggregates: &[&str], columns: &[(&str, ArrayRef)]) -> Vec<ArrayRef> {
    let mut aggregation = Aggregation::new(planned(group_by, aggregates, columns));
    take(&mut aggregation, columns);
    all(&mut aggregation)
}

fn column<A: arrow_array::Array + 'static>(array: A) -> ArrayRef {
    Arc::new(array)
}

/// Protects against nulls, NaN and the two zeros falling into the wrong group.
#[test]
fn null_is_a_group_nan_is_one_and_zero_is_one() {
    let keys = column(Float64Array::from(vec![Some(f64::NAN), None, Some(0.0), Some(-f64::NAN), Some(-0.0), None]));
    let out = once(&["k"], &["count()"], &[("k", keys)]);
    assert_eq!(*out[1], Int64Array::from(vec![2, 2, 2]));
    assert!(out[0].is_null(1));
    let flags = column(BooleanArray::from(vec![Some(true), None, Some(false), Some(true)]).slice(1, 3));
    let out = once(&["k"], &["count()"], &[("k", flags)]);
    assert_eq!(*out[0], BooleanArray::from(vec![None, Some(false), Some(true)]));
}

/// Protects against two rows that differ only in where one value ends and the next begins.
#[test]
fn strings_do_not_run_together() {
    let left = column(StringArray::from(vec!["ab", "a", "ab", "", "abc"]));
    let right = column(StringArray::from(vec!["c", "bc", "c", "abc", ""]));
    let out = once(&["l", "r"], &["count()"], &[("l", left), ("r", right)]);
    assert_eq!(*out[2], Int64Array::from(vec![2, 1, 1, 1]));
    assert_eq!(*out[1], StringArray::from(vec!["c", "bc", "abc", ""]));
}

/// Protects against a sum that wraps, and against one that is refused because of the order of its rows.
#[test]
fn sums_are_exact_or_an_error() {
    let values = column(Int64Array::from(vec![i64::MAX, 1, -1]));
    assert_eq!(*once(&[], &["sum(x)"], &[("x", values)])[0], Int64Array::from(vec![i64::MAX]));
    let columns = [("x", column(UInt64Array::from(vec![u64::MAX, 0])))];
    let out = once(&[], &["max(x)", "min(x)"], &columns);
    assert_eq!((&*out[0], &*out[1]), (&*column(UInt64Array::from(vec![u64::MAX])), &*column(UInt64Array::from(vec![0]))));
    let mut aggregation = Aggregation::new(planned(&[], &["sum(x)"], &columns));
    take(&mut aggregation, &columns);
    let message = "aggregate `sum(x)`: a sum exceeds int64: 18446744073709551615";
    assert_eq!(aggregation.give().unwrap_err(), StageError::Data(message.into()));
}

/// Protects against NaN that hides a number, or a number that hides NaN.
#[test]
fn nan_is_the_greatest() {
    let values = column(Float64Array::from(vec![Some(2.0), Some(f64::NAN), None, Some(-1.0)]));
    let out = once(&[], &["min(x)", "max(x)", "count(x)", "count_distinct(x)"], &[("x", values)]);
    assert_eq!(*out[0], Float64Array::from(vec![-1.0]));
    assert!(Float64Array::from(out[1].to_data()).value(0).is_nan());
    assert_eq!((&*out[2], &*out[3]), (&*column(Int64Array::from(vec![3])), &*column(Int64Array::from(vec![3]))));
}

/// Protects against damaged state that is taken for good, or panics.
#[test]
fn every_damage_to_a_snapshot_is_noticed() {
    let columns = [
        ("k", column(StringArray::from(vec![Some("a"), None, Some("bcd")]))),
        ("x", column(Float64Array::from(vec![Some(1.0), None, Some(f64::NAN)]))),
    ];
    let calls = ["count()", "count_distinct(x)", "min(k)", "max(x)", "median(x)", "mean(x)", "sum(x)"];
    let plan = || planned(&["k"], &calls, &columns);
    let mut aggregation = Aggregation::new(plan());
    take(&mut aggregation, &columns);
    let bytes = aggregation.save();
    let mut again = Aggregation::restore(plan(), &bytes).unwrap();
    assert_eq!(again.save(), bytes);
    assert_eq!(format!("{:?}", all(&mut again)), format!("{:?}", all(&mut aggregation)));
    for length in 0..bytes.len() {
        assert!(Aggregation::restore(plan(), &bytes[..length]).is_err(), "cut at {length}");
    }
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        assert!(Aggregation::restore(plan(), &damaged).is_err(), "flipped at {at}");
        // Past the checksum: whatever is read then must not panic.
        let mut out = Writer::default();
        damaged[5..damaged.len() - 8].iter().for_each(|&byte| out.fixed([byte]));
        if let Ok(mut restored) = Aggregation::restore(plan(), &out.done()) {
            while let Ok(Some(_)) = restored.give() {}
        }
    }
    let other = planned(&["k"], &["count()"], &columns);
    assert!(matches!(Aggregation::restore(other, &bytes), Err(StageError::Data(message)) if message.contains("another configuration")));
}

/// Protects against a group that depends on the way in which its key is found: known or not, apart or among others.
#[test]
fn every_way_to_a_group_leads_to_the_same() {
    let mut state = 7u64;
    let mut random = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let batches: Vec<Vec<(&str, ArrayRef)>> = (0..40u64)
        .map(|batch| {
            // Few keys, then some new ones among those that are known, then hardly one twice.
            let different = if batch < 20 { [3, 40, 100_000][batch as usize % 3] * (1 + batch / 3) } else { 10_000_000 };
            let text = |n: u64| format!("{}{n}", "padding-".repeat(n as usize % 3));
            let texts: StringArray = (0..4_000).map(|_| Some(random(different)).filter(|n| n % 11 != 5).map(text)).collect();
            let numbers: Int64Array = (0..4_000).map(|_| Some(random(3) as i64 - 1).filter(|n| *n != 0)).collect();
            let floats: Float64Array = (0..4_000).map(|_| Some([f64::NAN, -f64::NAN, 0.0, -0.0, 2.5][random(5) as usize])).collect();
            let flags: BooleanArray = (0..4_000).map(|_| Some(random(2) == 1)).collect();
            vec![
                ("t", column(texts.slice(17, 3_900))),
                ("n", column(numbers.slice(3, 3_900))),
                ("f", column(floats.slice(1, 3_900))),
                ("b", column(flags.slice(5, 3_900))),
            ]
        })
        .collect();
    for keys in [&["t"][..], &["n", "f"], &["b", "t"], &["t", "n", "f", "b"]] {
        let plan = || planned(keys, &["count()", "sum(n)"], &batches[0]);
        let (mut known, mut bytes, mut resumed) = (Aggregation::new(plan()), Aggregation::new(plan()), Aggregation::new(plan()));
        bytes.known = None;
        for (index, batch) in batches.iter().enumerate() {
            take(&mut known, batch);
            take(&mut bytes, batch);
            take(&mut resumed, batch);
            assert_eq!(known.numbers, bytes.numbers, "of {keys:?} in batch {index}");
            if index % 7 == 6 {
                resumed = Aggregation::restore(plan(), &resumed.save()).unwrap();
            }
        }
        assert_eq!(known.save(), bytes.save(), "of {keys:?}");
        assert_eq!(known.save(), resumed.save(), "of {keys:?}");
        assert_eq!(known.known.is_none(), keys.contains(&"t"), "a way around that is none is left");
    }
}
