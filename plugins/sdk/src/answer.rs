//! What a stage answers to a batch: a recipe that the host carries out.

use std::rc::Rc;

use arrow_array::{Array, BooleanArray};
use arrow_buffer::BooleanBuffer;
use arrow_data::ArrayData;

use crate::{abi, frame::Frame};

/// What a transform makes of one batch.
#[derive(Default)]
pub struct Answer {
    pub(crate) outputs: Vec<Output>,
    pub(crate) rejections: Vec<Rejection>,
}

/// One batch that leaves: which rows, which columns, by which port.
pub struct Output {
    pub(crate) port: u32,
    pub(crate) rows: Rows,
    /// Nothing means every column of the input, untouched.
    pub(crate) columns: Option<Sources>,
    /// The arrays of those that are made.
    pub(crate) made: Vec<ArrayData>,
}

/// Which rows of the input an output has.
pub enum Rows {
    /// Every row, in order.
    All,
    /// Those whose bit is set, in order.
    Keep(BooleanBuffer),
    /// These, in this order; a row may stand more than once.
    Take(Vec<u32>),
    /// This many rows that are not rows of the input.
    Fresh(usize),
}

/// Where a column of an output comes from.
pub enum Column {
    /// Column *n* of the input, untouched: it never enters the sandbox.
    Input(usize),
    /// An array with one value for each surviving row.
    Made(ArrayData),
}

/// Where the columns of outputs come from, as it crosses: the same for every batch, so it is made once, when the stage is opened.
///
/// ```
/// # use parshall_sdk::{Output, Projection, Rows};
/// // The input's second column, then one that is made.
/// let projection = Projection::new([Some(1), None]);
/// # let made = arrow_data::ArrayData::new_null(&arrow_schema::DataType::Null, 3);
/// let output = Output::of(Rows::All).projected(&projection, [made]);
/// ```
#[derive(Clone, Debug)]
pub struct Projection(Rc<[abi::Column]>);

/// The same for one output or for many.
pub(crate) enum Sources {
    Own(Vec<abi::Column>),
    Shared(Projection),
}

/// One row of the input that the stage could not accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Its index in the batch.
    pub row: u32,
    /// Why, for a person to read.
    pub reason: String,
}

// === impl Answer ===

impl Answer {
    /// No row survives.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Everything as it was.
    pub fn all() -> Self {
        Output::of(Rows::All).into()
    }

    /// The rows for which the mask is true; null counts as false, as in SQL.
    pub fn keep(mask: &BooleanArray) -> Self {
        Output::keep(mask).into()
    }

    /// Adds an output.
    pub fn and(mut self, output: Output) -> Self {
        self.outputs.push(output);
        self
    }

    /// Refuses a row. It must not be among the surviving rows of any output, and is refused once at most.
    pub fn reject(&mut self, row: usize, reason: impl Into<String>) {
        self.rejections.push(Rejection { row: row as u32, reason: reason.into() });
    }

    /// Refuses rows.
    pub fn rejecting(mut self, rejections: Vec<Rejection>) -> Self {
        self.rejections.extend(rejections);
        self
    }
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Self { outputs: vec![output], rejections: Vec::new() }
    }
}

// === impl Output ===

impl Output {
    /// Every column of these rows, by the first port.
    pub fn of(rows: Rows) -> Self {
        Self { port: 0, rows, columns: None, made: Vec::new() }
    }

    /// The rows for which the mask is true; null counts as false, as in SQL.
    pub fn keep(mask: &BooleanArray) -> Self {
        Self::of(Rows::Keep(match mask.nulls() {
            None => mask.values().clone(),
            Some(nulls) => mask.values() & nulls.inner(),
        }))
    }

    /// Every row of a frame, with one of its columns made and the others untouched.
    pub fn replacing(frame: &Frame, column: usize, array: &impl Array) -> Self {
        let source = |index| if index == column { Column::made(array) } else { Column::Input(index) };
        Self::of(Rows::All).columns((0..frame.schema().fields().len()).map(source))
    }

    /// Rows of its own making.
    pub fn fresh(rows: usize, columns: impl IntoIterator<Item = ArrayData>) -> Self {
        Self::of(Rows::Fresh(rows)).columns(columns.into_iter().map(Column::Made))
    }

    /// Instead of every column of the input: one for each field of the port's schema.
    pub fn columns(mut self, columns: impl IntoIterator<Item = Column>) -> Self {
        self.made.clear();
        let made = &mut self.made;
        let source = |column| match column {
            Column::Input(index) => abi::Column::Input(index as u32),
            Column::Made(array) => {
                made.push(array);
                abi::Column::Made
            }
        };
        self.columns = Some(Sources::Own(columns.into_iter().map(source).collect()));
        self
    }

    /// The same by a projection: `made` are the arrays of the columns that are made, in their order.
    pub fn projected(mut self, projection: &Projection, made: impl IntoIterator<Item = ArrayData>) -> Self {
        self.made.clear();
        self.made.extend(made);
        self.columns = Some(Sources::Shared(projection.clone()));
        self
    }

    /// Leaves by another port.
    pub fn port(mut self, port: usize) -> Self {
        self.port = port as u32;
        self
    }
}

// === impl Projection ===

impl Projection {
    /// One source for each field of the port's schema: column *n* of the input, or nothing where one is made.
    pub fn new(sources: impl IntoIterator<Item = Option<usize>>) -> Self {
        let source = |source: Option<usize>| source.map_or(abi::Column::Made, |index| abi::Column::Input(index as u32));
        Self(sources.into_iter().map(source).collect())
    }
}

impl Sources {
    pub(crate) fn as_slice(&self) -> &[abi::Column] {
        match self {
            Self::Own(columns) => columns,
            Self::Shared(projection) => &projection.0,
        }
    }
}

// === impl Column ===

impl Column {
    /// Column *n* of the input, untouched.
    pub fn input(index: usize) -> Self {
        Self::Input(index)
    }

    /// An array with one value for each surviving row.
    pub fn made(array: &impl Array) -> Self {
        Self::Made(array.to_data())
    }
}
