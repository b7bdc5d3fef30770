//! Answers laid out for the boundary. What they point at stays until the next call: the host has copied it by then, and
//! there is no second crossing to say so.

use std::ops::Range;

use arrow_buffer::{Buffer, bit_util};

use crate::{
    abi::{self, Arrays, List, Text},
    answer::{Answer, Output, Rows},
    arrays::Sent,
};

/// Room for an answer, reused from call to call.
pub struct Reply {
    answer: Option<Answer>,
    sent: Sent,
    bitmaps: Vec<Buffer>,
    lists: Vec<List<u8>>,
    /// Where the nodes and buffers of each output are.
    parts: Vec<(Range<usize>, Range<usize>)>,
    outputs: Vec<abi::Output>,
    rejections: Vec<abi::Rejection>,
}

// === impl Reply ===

impl Reply {
    /// Without an answer yet.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self {
            answer: None,
            sent: Sent::new(),
            bitmaps: Vec::new(),
            lists: Vec::new(),
            parts: Vec::new(),
            outputs: Vec::new(),
            rejections: Vec::new(),
        }
    }

    /// Lets go of the answer before.
    pub fn clear(&mut self) {
        self.answer = None;
        self.sent.clear();
        self.bitmaps.clear();
        self.lists.clear();
        self.parts.clear();
        self.outputs.clear();
        self.rejections.clear();
    }

    /// Lays an answer out. Points into `self`.
    pub fn lay_out(&mut self, answer: Answer) -> abi::Answer {
        self.clear();
        let answer = self.answer.insert(answer);
        // First everything that moves when it grows, then the pointers to it.
        for output in &answer.outputs {
            let (nodes, buffers) = (self.sent.nodes.len(), self.sent.buffers.len());
            output.made.iter().for_each(|array| self.sent.column(array));
            self.parts.push((nodes..self.sent.nodes.len(), buffers..self.sent.buffers.len()));
        }
        self.lists.extend(self.sent.lists());
        for (output, (nodes, buffers)) in answer.outputs.iter().zip(&self.parts) {
            self.outputs.push(abi::Output {
                port: output.port,
                rows: rows(output, &mut self.bitmaps),
                columns: match &output.columns {
                    None => abi::Columns::Untouched,
                    Some(sources) => abi::Columns::Each(List::pointing_at(sources.as_slice())),
                },
                made: Arrays {
                    nodes: List::pointing_at(&self.sent.nodes[nodes.clone()]),
                    buffers: List::pointing_at(&self.lists[buffers.clone()]),
                },
            });
        }
        let rejections = answer.rejections.iter();
        self.rejections.extend(rejections.map(|rejection| abi::Rejection { row: rejection.row, reason: Text::of(&rejection.reason) }));
        abi::Answer { outputs: List::pointing_at(&self.outputs), rejections: List::pointing_at(&self.rejections) }
    }

    /// Lays columns out that belong to no answer: those that an extract made.
    pub fn lay_out_columns(&mut self, columns: &[arrow_data::ArrayData]) -> Arrays {
        self.clear();
        for column in columns {
            self.sent.column(column);
        }
        self.lists.extend(self.sent.lists());
        Arrays { nodes: List::pointing_at(&self.sent.nodes), buffers: List::pointing_at(&self.lists) }
    }

    /// Lays refused rows out.
    pub fn lay_out_rejections(&mut self, rejections: Vec<crate::answer::Rejection>) -> List<abi::Rejection> {
        self.lay_out(Answer { outputs: Vec::new(), rejections }).rejections
    }
}

fn rows(output: &Output, bitmaps: &mut Vec<Buffer>) -> abi::Rows {
    match &output.rows {
        Rows::All => abi::Rows::All,
        Rows::Keep(bits) => {
            let bytes = bits.sliced().slice_with_length(0, bit_util::ceil(bits.len(), 8));
            // The bytes stay where they are when the vector of handles grows.
            let list = List::pointing_at(bytes.as_slice());
            bitmaps.push(bytes);
            abi::Rows::Bitmap(list)
        }
        Rows::Take(indices) => abi::Rows::Indices(List::pointing_at(indices)),
        Rows::Fresh(rows) => abi::Rows::Fresh(*rows as u64),
    }
}
