//! What crosses with every batch, taken out of linear memory and put into it by hand: arrays in, and answers out.
//!
//! wasmtime derives the same for any type, element by element: it looks up the memory, the element's type and its place for each
//! column of an answer (230 instructions), and asks the guest for room for buffers of nothing, again and again. Here a list is checked once and
//! read in place (20 instructions a column). The layouts are those of the canonical ABI for `wit/types.wit`; sizes are held to what wasmtime says of
//! the very types by the assertions below, offsets by every test that lets an answer cross.
//!
//! The methods of `Lift` and `Lower` are wasmtime's own business, which may change with any version of it; the types' shapes are still
//! compared with the component's by wasmtime, when it is linked.

use std::{
    mem::MaybeUninit,
    sync::atomic::{AtomicU8, Ordering::Relaxed},
};

use arrow::buffer::Buffer;
use wasmtime::{
    Result, bail,
    component::{
        __internal::{CanonicalAbiInfo, InstanceType, InterfaceType, LiftContext, LowerContext},
        ComponentType, Lift, Lower,
    },
};

use super::contract::{Answer, ArraysIn, ArraysOut, Column, Columns, Node, Output, Rejection, Rows};

const NODE: usize = 24;
const COLUMN: usize = 8;
const OUTPUT: usize = 56;
/// Of a list: where it is, and how long.
const LIST: usize = 8;

const _: () = {
    assert!(Node::SIZE32 == NODE && Node::ALIGN32 == 8);
    assert!(Column::SIZE32 == COLUMN && Column::ALIGN32 == 4);
    assert!(Rows::SIZE32 == 16 && Rows::ALIGN32 == 8);
    assert!(Columns::SIZE32 == 12 && Columns::ALIGN32 == 4);
    assert!(ArraysOut::SIZE32 == 2 * LIST && ArraysOut::ALIGN32 == 4);
    assert!(Output::SIZE32 == OUTPUT && Output::ALIGN32 == 8);
    assert!(Answer::SIZE32 == 2 * LIST && Answer::ALIGN32 == 4);
};

// === Out of the guest ===

// SAFETY: what is read is what `typecheck`, derived from the same types, has compared; nothing is read but through slices of the memory.
unsafe impl Lift for Answer {
    fn linear_lift_from_flat(_: &mut LiftContext<'_>, _: InterfaceType, _: &Self::Lower) -> Result<Self> {
        never_flat()
    }

    fn linear_lift_from_memory(cx: &mut LiftContext<'_>, ty: InterfaceType, bytes: &[u8]) -> Result<Self> {
        let found = list(cx, bytes, 0, OUTPUT, 8, size_of::<Output>())?;
        let mut outputs = Vec::with_capacity(found.len() / OUTPUT);
        for bytes in found.chunks_exact(OUTPUT) {
            outputs.push(output(cx, bytes)?);
        }
        Ok(Answer { outputs, rejections: rejections(cx, ty, &bytes[LIST..])? })
    }
}

// SAFETY: as above.
unsafe impl Lift for ArraysOut {
    fn linear_lift_from_flat(_: &mut LiftContext<'_>, _: InterfaceType, _: &Self::Lower) -> Result<Self> {
        never_flat()
    }

    fn linear_lift_from_memory(cx: &mut LiftContext<'_>, _: InterfaceType, bytes: &[u8]) -> Result<Self> {
        arrays(cx, bytes)
    }
}

fn output(cx: &mut LiftContext<'_>, bytes: &[u8]) -> Result<Output> {
    let rows = match bytes[8] {
        0 => Rows::All,
        1 => Rows::Bitmap(list(cx, bytes, 16, 1, 1, 1)?.to_vec()),
        2 => {
            let indices = list(cx, bytes, 16, 4, 4, 4)?;
            Rows::Indices(indices.as_chunks().0.iter().map(|index| u32::from_le_bytes(*index)).collect())
        }
        3 => Rows::Fresh(long(bytes, 16)),
        other => return unexpected(other),
    };
    let columns = match bytes[24] {
        0 => Columns::Untouched,
        1 => {
            let found = list(cx, bytes, 28, COLUMN, 4, size_of::<Column>())?.as_chunks::<COLUMN>().0;
            let mut columns = Vec::with_capacity(found.len());
            for column in found {
                let column = u64::from_le_bytes(*column);
                columns.push(match column as u8 {
                    0 => Column::Input((column >> 32) as u32),
                    1 => Column::Made,
                    other => return unexpected(other),
                });
            }
            Columns::Each(columns)
        }
        other => return unexpected(other),
    };
    Ok(Output { port: word(bytes, 0), rows, columns, made: arrays(cx, &bytes[36..52])? })
}

fn arrays(cx: &mut LiftContext<'_>, bytes: &[u8]) -> Result<ArraysOut> {
    let found = list(cx, bytes, 0, NODE, 8, size_of::<Node>())?;
    let node = |bytes: &[u8]| Node { length: long(bytes, 0), null_count: long(bytes, 8), variadic: word(bytes, 16) };
    let nodes = found.chunks_exact(NODE).map(node).collect();
    let found = list(cx, bytes, LIST, LIST, 4, size_of::<Vec<u8>>())?;
    let mut buffers = Vec::with_capacity(found.len() / LIST);
    for bytes in found.chunks_exact(LIST) {
        buffers.push(list(cx, bytes, 0, 1, 1, 1)?.to_vec());
    }
    Ok(ArraysOut { nodes, buffers })
}

/// Rare, and texts: wasmtime's own way.
fn rejections(cx: &mut LiftContext<'_>, answer: InterfaceType, bytes: &[u8]) -> Result<Vec<Rejection>> {
    if word(bytes, 4) == 0 {
        return Ok(Vec::new());
    }
    let InterfaceType::Record(answer) = answer else { bail!("an answer is no record") };
    let ty = cx.types[answer].fields[1].ty;
    Vec::<Rejection>::linear_lift_from_memory(cx, ty, &bytes[..LIST])
}

/// The bytes of a list whose place and length stand at an offset. What it will take in the host, `kept` bytes an element, is counted
/// against what may cross in a call.
fn list<'a>(cx: &mut LiftContext<'a>, bytes: &[u8], at: usize, size: usize, align: usize, kept: usize) -> Result<&'a [u8]> {
    let (start, count) = (word(bytes, at) as usize, word(bytes, at + 4) as usize);
    let end = count.checked_mul(size).and_then(|length| start.checked_add(length));
    let Some(found) = end.and_then(|end| cx.memory().get(start..end)) else { bail!("list pointer/length out of bounds of memory") };
    cx.consume_fuel_array(count, kept)?;
    if !start.is_multiple_of(align) {
        bail!("list pointer is not aligned");
    }
    Ok(found)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from(word(bytes, at)) | u64::from(word(bytes, at + 4)) << 32
}

#[cold]
fn unexpected<T>(discriminant: u8) -> Result<T> {
    bail!("unexpected discriminant: {discriminant}")
}

/// These have more words than are passed flat.
#[cold]
fn never_flat<T>() -> Result<T> {
    bail!("arrays and answers are passed in memory")
}

// === Into the guest ===

// SAFETY: all of it is that of `ArraysOut`, which is derived.
unsafe impl ComponentType for ArraysIn {
    type Lower = <ArraysOut as ComponentType>::Lower;
    const ABI: CanonicalAbiInfo = ArraysOut::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        ArraysOut::typecheck(ty, types)
    }
}

// SAFETY: both lists are written whole, into room that wasmtime has found to be within the memory.
unsafe impl Lower for ArraysIn {
    fn linear_lower_to_flat<T>(&self, _: &mut LowerContext<'_, T>, _: InterfaceType, _: &mut MaybeUninit<Self::Lower>) -> Result<()> {
        never_flat()
    }

    fn linear_lower_to_memory<T>(&self, cx: &mut LowerContext<'_, T>, _: InterfaceType, offset: usize) -> Result<()> {
        let nodes = cx.realloc(0, 0, 8, self.nodes.len() * NODE)?;
        let buffers = cx.realloc(0, 0, 4, self.buffers.len() * LIST)?;
        for (index, buffer) in self.buffers.iter().enumerate() {
            let bytes = buffer.as_ref().map_or(&[][..], Buffer::as_slice);
            let start = if bytes.is_empty() { self.nothing.place(cx)? } else { cx.realloc(0, 0, 1, bytes.len())? };
            let memory = cx.as_slice_mut();
            memory[start..start + bytes.len()].copy_from_slice(bytes);
            put_list(memory, buffers + index * LIST, start, bytes.len())?;
        }
        let memory = cx.as_slice_mut();
        for (bytes, node) in memory[nodes..].chunks_exact_mut(NODE).zip(&self.nodes) {
            bytes[..8].copy_from_slice(&node.length.to_le_bytes());
            bytes[8..16].copy_from_slice(&node.null_count.to_le_bytes());
            bytes[16..20].copy_from_slice(&node.variadic.to_le_bytes());
        }
        put_list(memory, offset, nodes, self.nodes.len())?;
        put_list(memory, offset + LIST, buffers, self.buffers.len())
    }
}

/// Where a guest puts buffers of no bytes, as its `realloc` answered once: most columns have no validity bitmap, and to ask costs as much
/// as to copy a kilobyte. One that answers with an address that can be no block (the alignment, 1) means none of them, and is not asked again;
/// one that answers with a block, which it will free, is asked every time.
#[derive(Debug, Default)]
pub struct Nothing(AtomicU8);

impl Nothing {
    const UNASKED: u8 = 0;
    const NO_BLOCK: u8 = 1;
    const A_BLOCK: u8 = 2;

    fn place<T>(&self, cx: &mut LowerContext<'_, T>) -> Result<usize> {
        if self.0.load(Relaxed) == Self::NO_BLOCK {
            return Ok(1);
        }
        let place = cx.realloc(0, 0, 1, 0)?;
        if self.0.load(Relaxed) == Self::UNASKED {
            self.0.store(if place == 1 { Self::NO_BLOCK } else { Self::A_BLOCK }, Relaxed);
        }
        Ok(place)
    }
}

fn put_list(memory: &mut [u8], at: usize, start: usize, count: usize) -> Result<()> {
    memory[at..at + 4].copy_from_slice(&u32::try_from(start)?.to_le_bytes());
    memory[at + 4..at + 8].copy_from_slice(&u32::try_from(count)?.to_le_bytes());
    Ok(())
}
