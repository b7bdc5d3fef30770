//! Every type to the contract's fields and back, natively.

use std::sync::Arc;

use arrow_schema::{DataType, Field, IntervalUnit, Schema, TimeUnit, UnionFields, UnionMode};

use super::{SentSchema, receive};
use crate::abi;

/// A deep copy with memory of its own, as if the host had sent it.
fn from_the_host(schema: &Schema) -> abi::Schema {
    let sent = SentSchema::new(schema);
    let text = |text: abi::Text| abi::List::leak(unsafe { text.as_slice() }.to_vec());
    let pairs = |pairs: abi::List<abi::Pair>| {
        let copies = unsafe { pairs.as_slice() }.iter().map(|pair| abi::Pair { key: text(pair.key), value: text(pair.value) });
        abi::List::leak(copies.collect())
    };
    let crossing = sent.abi();
    let fields = unsafe { crossing.fields.as_slice() }.iter().map(|field| abi::Field {
        name: text(field.name),
        format: text(field.format),
        metadata: pairs(field.metadata),
        ..*field
    });
    abi::Schema { fields: abi::List::leak(fields.collect()), metadata: pairs(crossing.metadata) }
}

fn types() -> Vec<DataType> {
    use DataType::*;
    let item = |data_type| Arc::new(Field::new("item", data_type, true));
    let pair = || vec![Field::new("key", Utf8, false), Field::new("value", Int8, true)];
    let mut types = vec![Null, Boolean, Int8, UInt8, Int16, UInt16, Int32, UInt32, Int64, UInt64, Float16, Float32, Float64];
    types.extend([Utf8, LargeUtf8, Utf8View, Binary, LargeBinary, BinaryView, FixedSizeBinary(3), Date32, Date64]);
    types.extend([Decimal32(9, 2), Decimal64(18, -3), Decimal128(38, 10), Decimal256(76, 0)]);
    for unit in [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond] {
        types.extend([Timestamp(unit, None), Timestamp(unit, Some("Europe/Berlin".into())), Duration(unit)]);
    }
    types.extend([Time32(TimeUnit::Second), Time32(TimeUnit::Millisecond), Time64(TimeUnit::Microsecond), Time64(TimeUnit::Nanosecond)]);
    types.extend([IntervalUnit::YearMonth, IntervalUnit::DayTime, IntervalUnit::MonthDayNano].map(Interval));
    types.extend([List(item(Int8)), LargeList(item(Int8)), ListView(item(Utf8)), LargeListView(item(Utf8)), FixedSizeList(item(Int8), 4)]);
    types.extend([Struct(pair().into()), Map(Arc::new(Field::new("entries", Struct(pair().into()), false)), true)]);
    for mode in [UnionMode::Dense, UnionMode::Sparse] {
        types.push(Union(UnionFields::try_new([0, 7], pair()).unwrap(), mode));
    }
    types.push(RunEndEncoded(Arc::new(Field::new("run_ends", Int16, false)), item(Utf8)));
    types.push(Dictionary(Box::new(UInt16), Box::new(List(item(Utf8)))));
    types.push(List(item(Dictionary(Box::new(Int8), Box::new(Utf8)))));
    types
}

/// Protects against a type, a flag or metadata that changes on its way through.
#[test]
fn every_type_comes_back() {
    let metadata = [("b", "2"), ("a", "1")].map(|(key, value)| (key.to_string(), value.to_string()));
    let field = |(index, data_type)| Field::new(format!("c{index}"), data_type, index % 2 == 0).with_metadata(metadata.clone().into());
    let fields: Vec<Field> = types().into_iter().enumerate().map(field).collect();
    let schema = Schema::new_with_metadata(fields, metadata.into());
    let back = unsafe { receive(from_the_host(&schema)) }.unwrap();
    for (before, after) in schema.fields().iter().zip(back.fields()) {
        assert_eq!(before, after);
    }
    assert_eq!(*back, schema);
}

/// Protects against a trap where the column could have been named.
#[test]
fn an_unknown_type_names_its_column() {
    let schema = Schema::new(vec![Field::new("odd", DataType::Int8, true)]);
    let mut sent = from_the_host(&schema);
    let mut fields = unsafe { sent.fields.into_vec() };
    fields[0].format = abi::List::leak(b"?!".to_vec());
    sent.fields = abi::List::leak(fields);
    let Err(crate::StageError::Schema { column, .. }) = (unsafe { receive(sent) }) else { panic!("it was taken") };
    assert_eq!(column.as_deref(), Some("odd"));
}
