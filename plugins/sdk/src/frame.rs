//! A batch that the host holds: read what is needed, nothing else enters.

use std::cell::{Cell, RefCell};

use arrow_array::{ArrayRef, make_array};
use arrow_data::ArrayData;
use arrow_schema::{Schema, SchemaRef};

use crate::{
    abi::{FrameError, Outcome, imports::frames},
    arrays::Arrived,
    error::StageError,
};

/// A batch lent for the length of a call.
///
/// Every read is one crossing, however many columns it asks for, and a column crosses once: `read` several before asking
/// for each.
pub struct Frame<'a> {
    handle: u32,
    input: usize,
    rows: usize,
    schema: &'a SchemaRef,
    /// Columns that have crossed, by index. The room belongs to the instance and outlives the call.
    cache: RefCell<&'a mut Vec<Option<ArrayData>>>,
    /// How many of them are there: mostly none, when all were given away.
    held: Cell<usize>,
}

// === impl Frame ===

impl<'a> Frame<'a> {
    /// Takes over a lent handle.
    pub(crate) fn new(handle: u32, input: usize, rows: usize, schema: &'a SchemaRef, cache: &'a mut Vec<Option<ArrayData>>) -> Self {
        // Nearly always it has that length: a stage has one input, and what was read is let go of column by column.
        if cache.len() != schema.fields().len() {
            cache.clear();
            cache.resize(schema.fields().len(), None);
        }
        Self { handle, input, rows, schema, cache: RefCell::new(cache), held: Cell::new(0) }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Index of the input that it came from, as in the inputs that the stage was opened with.
    pub fn input(&self) -> usize {
        self.input
    }

    /// Its schema; that of its input.
    pub fn schema(&self) -> &Schema {
        self.schema
    }

    /// The handle, to pass on to the host.
    pub fn handle(&self) -> u32 {
        self.handle
    }

    /// Brings columns in, those that are not here yet, in one crossing.
    pub fn read(&self, columns: &[usize]) -> Result<(), StageError> {
        let mut wanted = [0u32; 16];
        for columns in columns.chunks(wanted.len()) {
            let mut count = 0;
            {
                let cache = self.cache.borrow();
                for &column in columns {
                    if cache[column].is_none() && !wanted[..count].contains(&(column as u32)) {
                        wanted[count] = column as u32;
                        count += 1;
                    }
                }
            }
            if count > 0 {
                self.cross(&wanted[..count])?;
            }
        }
        Ok(())
    }

    /// One column as Arrow's untyped data. The lightest way in: nothing but this column's type need be compiled in.
    pub fn data(&self, index: usize) -> Result<ArrayData, StageError> {
        if let Some(data) = &self.cache.borrow()[index] {
            return Ok(data.clone());
        }
        self.cross(&[index as u32])?;
        Ok(self.cache.borrow()[index].clone().expect("it has just crossed"))
    }

    /// One column as [`Frame::data`], given away: asked for again, it crosses again.
    pub fn take(&self, index: usize) -> Result<ArrayData, StageError> {
        if self.cache.borrow()[index].is_none() {
            self.cross(&[index as u32])?;
        }
        self.held.set(self.held.get() - 1);
        Ok(self.cache.borrow_mut()[index].take().expect("it is here, or has just crossed"))
    }

    /// One column as an array whose type was checked when the stage was opened.
    pub fn typed<A: From<ArrayData>>(&self, index: usize) -> Result<A, StageError> {
        Ok(self.data(index)?.into())
    }

    /// One column of any type. Compiles every type of array in, some 600 KB: a stage that knows its types is lighter with
    /// [`Frame::typed`].
    pub fn column(&self, index: usize) -> Result<ArrayRef, StageError> {
        Ok(make_array(self.data(index)?))
    }

    fn cross(&self, columns: &[u32]) -> Result<(), StageError> {
        let mut result = Outcome::Err(FrameError::TooLarge(0));
        unsafe { frames::read(self.handle, columns.as_ptr(), columns.len(), &mut result) };
        let mut arrived = match result {
            // Fresh from the host.
            Outcome::Ok(arrays) => unsafe { Arrived::new(arrays) },
            Outcome::Err(error) => return Err(refused(error)),
        };
        let mut cache = self.cache.borrow_mut();
        for &column in columns {
            // A column that is here is not asked for again.
            cache[column as usize] = Some(arrived.column(self.schema.field(column as usize).data_type())?);
            self.held.set(self.held.get() + 1);
        }
        Ok(())
    }
}

impl Drop for Frame<'_> {
    fn drop(&mut self) {
        if self.held.get() > 0 {
            self.cache.borrow_mut().iter_mut().for_each(|column| *column = None);
        }
        // A lent handle must be given back before the call returns.
        unsafe { frames::drop(self.handle) };
    }
}

#[cold]
fn refused(error: FrameError) -> StageError {
    match error {
        FrameError::NoSuchColumn(text) => StageError::Internal(unsafe { text.into_string() }),
        FrameError::TooLarge(limit) => {
            StageError::Data(format!("the columns that are read exceed the limit `read_bytes` of {limit} bytes in one batch"))
        }
    }
}
