//! Every kind of layout out and in again, whole and sliced, natively. The host's own round trips do the same through a
//! component; these say which direction is wrong.

use std::sync::Arc;

use arrow_array::{types::*, *};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_data::ArrayData;
use arrow_schema::{DataType, Field, UnionFields};

use super::{Arrived, Sent};
use crate::abi::{Arrays, List};

/// Sends a column as the guest does and receives it as the guest does.
fn round_trip(data: &ArrayData) -> ArrayData {
    let mut sent = Sent::new();
    sent.column(data);
    let buffers = sent.buffers.iter().map(|buffer| List::leak(buffer.as_ref().map_or(vec![], |buffer| buffer.to_vec())));
    let arrays = Arrays { nodes: List::leak(sent.nodes.clone()), buffers: List::leak(buffers.collect()) };
    // Leaked just now, by the allocator that frees them.
    let mut arrived = unsafe { Arrived::new(arrays) };
    arrived.column(data.data_type()).unwrap()
}

fn integers() -> Int64Array {
    (0..40).map(|number| (number % 3 != 0).then_some(number)).collect()
}

fn texts() -> StringArray {
    (0..40).map(|number| (number % 3 != 0).then(|| "ä".repeat(number))).collect()
}

fn arrays() -> Vec<ArrayRef> {
    let item = |data_type| Arc::new(Field::new("item", data_type, true));
    let offsets = OffsetBuffer::new((0..=20).map(|index| index * 2).collect::<ScalarBuffer<i32>>());
    let list = ListArray::new(item(DataType::Int64), offsets, Arc::new(integers()), None);
    let fixed = FixedSizeListArray::new(item(DataType::Int64), 2, Arc::new(integers()), None);
    let starts: ScalarBuffer<i32> = (0..20).rev().collect();
    let view = ListViewArray::new(item(DataType::Int64), starts, vec![3; 20].into(), Arc::new(integers()), None);
    let dictionary: DictionaryArray<Int8Type> = (0..40).map(|number| ["a", "b", "c"].get(number % 4).copied()).collect();
    let runs: RunArray<Int32Type> = (0..40).map(|number| ["x", "y"][number / 7 % 2]).collect();
    let fields = vec![Field::new("n", DataType::Int64, true), Field::new("s", DataType::Utf8, true)];
    let children: Vec<ArrayRef> = vec![Arc::new(integers()), Arc::new(texts())];
    let record = StructArray::new(fields.clone().into(), children.clone(), integers().nulls().cloned());
    let union_fields = UnionFields::try_new([3, 5], fields).unwrap();
    let ids: ScalarBuffer<i8> = (0..40).map(|row| if row % 2 == 0 { 3 } else { 5 }).collect();
    let sparse = UnionArray::try_new(union_fields.clone(), ids.clone(), None, children.clone()).unwrap();
    let dense = UnionArray::try_new(union_fields, ids, Some((0..40).collect()), children).unwrap();
    vec![
        Arc::new(NullArray::new(40)),
        Arc::new((0..40).map(|number| (number % 5 != 0).then_some(number % 2 == 0)).collect::<BooleanArray>()),
        Arc::new(integers()),
        Arc::new(Decimal256Array::from_iter_values((0..40).map(arrow_buffer::i256::from_i128))),
        Arc::new(texts()),
        Arc::new(LargeBinaryArray::from_iter_values((0..40).map(|number| vec![number; number as usize]))),
        Arc::new(texts().iter().collect::<StringViewArray>()),
        Arc::new(FixedSizeBinaryArray::try_from_iter((0..40u8).map(|number| [number; 3])).unwrap()),
        Arc::new(list),
        Arc::new(fixed),
        Arc::new(view),
        Arc::new(dictionary),
        Arc::new(runs),
        Arc::new(record),
        Arc::new(sparse),
        Arc::new(dense),
    ]
}

/// Protects against offsets, bitmaps or children that are cut in the wrong place.
#[test]
fn every_layout_comes_back() {
    for array in arrays() {
        for (offset, length) in [(0, array.len()), (0, 0), (3, 9), (8, array.len() - 8), (array.len(), 0)] {
            let slice = array.slice(offset, length);
            let back = make_array(round_trip(&slice.to_data()));
            assert!(*back == *slice, "{} {offset}..{}: {back:?}\nwas {slice:?}", array.data_type(), offset + length);
            back.to_data().validate_full().unwrap_or_else(|error| panic!("{}: {error}", array.data_type()));
        }
    }
}

/// Protects against sending what nobody sees: the bytes before and after a slice.
#[test]
fn a_slice_crosses_alone() {
    let mut sent = Sent::new();
    sent.column(&texts().slice(1, 1).to_data());
    let sizes: Vec<usize> = sent.buffers.iter().map(|buffer| buffer.as_ref().map_or(0, |buffer| buffer.len())).collect();
    assert_eq!(sizes, [0, 8, 2]);
}

/// Protects against a host that leaves out the offsets of an array without values, as it may.
#[test]
fn absent_offsets_of_nothing_are_taken() {
    let node = crate::abi::Node { length: 0, null_count: 0, variadic: 0 };
    let arrays =
        Arrays { nodes: List::leak(vec![node]), buffers: List::leak(vec![List::leak(vec![]), List::leak(vec![]), List::leak(vec![])]) };
    let data = unsafe { Arrived::new(arrays) }.column(&DataType::Utf8).unwrap();
    assert_eq!(StringArray::from(data).len(), 0);
}
