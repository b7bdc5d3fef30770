//! Bitmaps from tests.

use arrow_buffer::{BooleanBuffer, Buffer};

/// One bit for each row. The test is inlined and must not branch: eight rows are tested at once, and their answers, each
/// a byte of 0 or 1, are gathered into eight bits by a multiplication that moves every one to its place in the top byte.
#[inline(always)]
pub fn bits(rows: usize, test: impl Fn(usize) -> bool) -> BooleanBuffer {
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut bytes = Vec::with_capacity(rows.div_ceil(8));
    for group in 0..rows / 8 {
        let mut flags = [0u8; 8];
        for (index, flag) in flags.iter_mut().enumerate() {
            *flag = test(group * 8 + index).into();
        }
        bytes.push((u64::from_le_bytes(flags).wrapping_mul(GATHER) >> 56) as u8);
    }
    if !rows.is_multiple_of(8) {
        bytes.push((rows & !7..rows).enumerate().fold(0, |byte, (bit, row)| byte | u8::from(test(row)) << bit));
    }
    BooleanBuffer::new(Buffer::from_vec(bytes), 0, rows)
}
