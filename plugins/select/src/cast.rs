//! One column cast to a type, and the rows for which that cannot be done.

use arrow_buffer::{BooleanBuffer, NullBuffer};
use parshall_sdk::{nearest, prelude::*};
use values::{Gather, Kind, NAMES, Values, castable, make, named, read};

/// Characters of a value that a reason quotes.
const QUOTED: usize = 40;

/// A column that changes its type.
#[derive(Debug)]
pub struct Cast {
    /// Of the input.
    pub index: usize,
    /// The input's name of it, for people.
    column: String,
    from: Kind,
    /// What it becomes.
    pub to: DataType,
    /// As written in the configuration.
    type_name: String,
}

/// What became of one batch's column.
pub struct Done {
    values: Values,
    data: ArrayData,
    /// Rows that have no such value, and why.
    pub failed: Vec<(usize, String)>,
}

// === impl Cast ===

impl Cast {
    /// Checks that there is such a type and that the column can be cast to it. Nothing if the column is of that type.
    pub fn new(field: &Field, index: usize, type_name: &str, pointer: &str) -> Result<Option<Self>, StageError> {
        let to = named(type_name).ok_or_else(|| {
            let error = StageError::config(pointer, format!("there is no type `{type_name}`"));
            match nearest(type_name, NAMES) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(format!("the types are `{}`", NAMES.join("`, `"))),
            }
        })?;
        let (column, data_type) = (field.name().clone(), field.data_type());
        if to == *data_type {
            return Ok(None);
        }
        match Kind::of(data_type).filter(|from| castable(from, &to)) {
            Some(from) => Ok(Some(Self { index, column, from, to, type_name: type_name.trim().into() })),
            None => Err(StageError::config(pointer, format!("`{column}` is of type {data_type}, which cannot be cast to {type_name}"))),
        }
    }

    /// Casts a whole column.
    pub fn column(&self, data: ArrayData) -> Result<Done, StageError> {
        let (values, mut failed) = self.read(data)?;
        let made = make(&values, &self.from, &self.to);
        failed.extend(made.failed.iter().map(|row| (*row, self.reason(&values.show(&self.from, *row)))));
        Ok(Done { values, data: made.data, failed })
    }

    /// The values of a column, and those that are too large to be computed with; they are null.
    fn read(&self, data: ArrayData) -> Result<(Values, Vec<(usize, String)>), StageError> {
        let error = match read(data.clone()) {
            Ok(values) => return Ok((values, Vec::new())),
            Err(error) => error,
        };
        // A value has spoilt the column: a uint64 beyond int64, a date beyond the calendar. Rare, so each is tried.
        let fits = BooleanBuffer::collect_bool(data.len(), |row| read(data.slice(row, 1)).is_ok());
        let failed = fits.iter().enumerate().filter(|(_, fits)| !fits);
        let failed =
            failed.map(|(row, _)| (row, format!("column `{}`: the value is too large to be cast to {}", self.column, self.type_name)));
        let nulls = NullBuffer::union(data.nulls(), Some(&NullBuffer::new(fits.clone())));
        // The same array with fewer values.
        let masked = unsafe { data.clone().into_builder().nulls(nulls).build_unchecked() };
        Ok((read(masked).map_err(|_| error)?, failed.collect()))
    }

    fn reason(&self, value: &str) -> String {
        let mut quoted: String = value.chars().take(QUOTED).collect();
        if quoted.len() < value.len() {
            quoted.push('…');
        }
        let Self { column, type_name, .. } = self;
        format!("column `{column}`: {quoted:?} cannot be cast to {type_name}")
    }

    /// What is left when rows are refused: the values at these places.
    pub fn survivors(&self, done: &Done, places: &[Option<usize>]) -> ArrayData {
        make(&done.values.gather(places), &self.from, &self.to).data
    }
}

// === impl Done ===

impl Done {
    /// One value for each row of the input.
    pub fn data(&self) -> ArrayData {
        self.data.clone()
    }
}
