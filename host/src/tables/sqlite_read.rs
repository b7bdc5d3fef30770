//! SQLite tables, read: in the order of row ids, a batch per query, so that writers are never kept out.

use std::sync::Arc;

use arrow::{
    array::{ArrayBuilder, ArrayRef, BinaryBuilder, BooleanBuilder, Float64Builder, Int64Builder, StringBuilder},
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use rusqlite::{Connection, Row, types::ValueRef};

use super::{
    failure::arrow_error,
    options::{INFER_ROWS, ReadOptions},
    position::Position,
    projection::Projection,
    sqlite::{Column, Database, Table, quote},
    sqlite_vfs::Opened,
    type_names,
};
use crate::words::{
    batch::RecordBatch,
    tables::{TableError, TableReader},
};

/// Before the first row id.
const START: u64 = 0;
/// Integers beyond this have no exact float.
const EXACT: u64 = 1 << 53;

/// Reads one table or view.
///
/// Between two batches the table may change: rows with higher ids are seen, earlier ones are not. Tables without row
/// ids and views are read by offset, which is correct only while they do not change, and slow for large ones.
pub struct Reader {
    database: Database,
    connection: Opened,
    table: String,
    projection: Projection,
    /// Takes the mark and the number of rows.
    query: String,
    by_row_id: bool,
    batch_rows: usize,
    /// See [`biased`]; or the number of rows read.
    mark: u64,
}

impl Reader {
    pub fn open(database: Database, options: &ReadOptions) -> Result<Self, TableError> {
        let connection = database.open_to_read()?;
        let (table, found) = database.existing_table(&connection, options.table.as_deref())?;
        let fields = found.columns.iter().map(|column| {
            let data_type = match declared_type(&column.declared) {
                Some(data_type) => data_type,
                None => sampled_type(&database, &connection, &table, column)?,
            };
            Ok(Field::new(&column.name, data_type, true))
        });
        let schema = Arc::new(Schema::new(fields.collect::<Result<Vec<_>, TableError>>()?));
        let projection = Projection::new(&database.name, &schema, options.columns.as_deref())?;
        let row_id = row_id(&found);
        let query = query(&table, &found, &projection.schema, row_id);
        let by_row_id = row_id.is_some();
        Ok(Reader { database, connection, table, projection, query, by_row_id, batch_rows: options.batch_rows, mark: START })
    }

    fn read(&mut self) -> Result<Option<RecordBatch>, TableError> {
        let failed = |error| self.database.error("reading", &error);
        let mut statement = self.connection.prepare(&self.query).map_err(failed)?;
        let mark = if self.by_row_id { unbiased(self.mark) } else { self.mark as i64 };
        let mut rows = statement.query((mark, self.batch_rows as i64)).map_err(failed)?;
        let mut columns = self.projection.schema.fields().iter().map(|field| Cells::new(field.data_type())).collect::<Vec<_>>();
        let (mut mark, mut count) = (self.mark, 0);
        while let Some(row) = rows.next().map_err(failed)? {
            for (index, cells) in columns.iter_mut().enumerate() {
                let value = row.get_ref(index + 1).map_err(failed)?;
                cells.push(value).map_err(|why| self.mismatch(index, row, &why))?;
            }
            mark = self.mark_after(row, mark)?;
            count += 1;
        }
        self.mark = mark;
        if count == 0 {
            return Ok(None);
        }
        let columns = columns.into_iter().map(Cells::finish).collect();
        RecordBatch::try_new(self.projection.schema.clone(), columns)
            .map(Some)
            .map_err(|error| arrow_error(&self.database.name, "reading", &error))
    }

    /// In a corrupt database, ids may lead in a circle; read by id, the table would never end.
    fn mark_after(&self, row: &Row, mark: u64) -> Result<u64, TableError> {
        if !self.by_row_id {
            return Ok(mark + 1);
        }
        let next = biased(row.get(0).map_err(|error| self.database.error("reading", &error))?);
        if next > mark {
            return Ok(next);
        }
        let (name, table) = (&self.database.name, &self.table);
        Err(TableError::Format(format!("reading {name:?}, table {table:?}: row ids do not ascend, the database is corrupt")))
    }

    fn mismatch(&self, index: usize, row: &Row, why: &str) -> TableError {
        let row = row.get::<_, i64>(0).map(|id| format!("row id {id}")).unwrap_or_else(|_| "a row".into());
        TableError::Format(format!(
            "reading {:?}, table {:?}, {row}, column {:?}: {why}; correct the value, or leave the column out with the \
             option \"columns\"",
            self.database.name,
            self.table,
            self.projection.schema.field(index).name()
        ))
    }
}

// === impl TableReader for Reader ===

impl TableReader for Reader {
    fn format(&self) -> &'static str {
        super::format::Format::Sqlite.name()
    }

    fn schema(&self) -> SchemaRef {
        self.projection.schema.clone()
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, TableError> {
        self.read()
    }

    fn position(&self) -> Vec<u8> {
        Position { file: 0, name: self.table.clone(), mark: self.mark }.encode()
    }

    fn seek(&mut self, position: &[u8]) -> Result<(), TableError> {
        let position = Position::decode(position)?;
        if position.name != self.table {
            let (theirs, ours) = (&position.name, &self.table);
            return Err(TableError::Options(format!("the position to go on from is in table {theirs:?}, this is {ours:?}")));
        }
        self.mark = position.mark;
        Ok(())
    }
}

/// Row ids are signed; biased they are marks, and [`START`] comes before all of them.
fn biased(row_id: i64) -> u64 {
    (row_id as u64) ^ (1 << 63)
}

fn unbiased(mark: u64) -> i64 {
    (mark ^ (1 << 63)) as i64
}

/// A name for the row id that no column has taken.
fn row_id(table: &Table) -> Option<&'static str> {
    let taken = |name: &str| table.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
    ["_rowid_", "rowid", "oid"].into_iter().find(|name| table.has_row_ids && !taken(name))
}

fn query(name: &str, table: &Table, schema: &Schema, row_id: Option<&str>) -> String {
    let columns = schema.fields().iter().map(|field| quote(field.name())).collect::<Vec<_>>().join(", ");
    let name = quote(name);
    if let Some(id) = row_id {
        return format!("SELECT {id}, {columns} FROM {name} WHERE {id} > ?1 ORDER BY {id} LIMIT ?2");
    }
    let mut key = table.columns.iter().filter(|column| column.key.is_some()).collect::<Vec<_>>();
    key.sort_by_key(|column| column.key);
    let key = key.iter().map(|column| quote(&column.name)).collect::<Vec<_>>().join(", ");
    let order = if key.is_empty() { String::new() } else { format!("ORDER BY {key} ") };
    format!("SELECT NULL, {columns} FROM {name} {order}LIMIT ?2 OFFSET ?1")
}

/// What a declared type promises, by SQLite's rules of affinity (<https://sqlite.org/datatype3.html>, 3.1). Nothing for
/// NUMERIC and what is not declared: such columns hold anything.
pub fn declared_type(declared: &str) -> Option<DataType> {
    let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    match () {
        () if has(&["INT"]) => Some(DataType::Int64),
        () if has(&["CHAR", "CLOB", "TEXT"]) => Some(DataType::Utf8),
        () if has(&["BLOB"]) => Some(DataType::Binary),
        () if has(&["REAL", "FLOA", "DOUB"]) => Some(DataType::Float64),
        () if has(&["BOOL"]) => Some(DataType::Boolean),
        () => None,
    }
}

/// The type that the first rows of a column have in common.
fn sampled_type(database: &Database, connection: &Connection, table: &str, column: &Column) -> Result<DataType, TableError> {
    let (name, source) = (quote(&column.name), quote(table));
    let sample = format!("SELECT DISTINCT typeof(c) FROM (SELECT {name} AS c FROM {source} LIMIT {INFER_ROWS}) ORDER BY 1");
    let read = || connection.prepare(&sample)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>();
    let mut kinds = read().map_err(|error| database.error("reading", &error))?;
    kinds.retain(|kind| kind != "null");
    match kinds.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] | ["text"] => Ok(DataType::Utf8),
        ["integer"] => Ok(DataType::Int64),
        ["real"] | ["integer", "real"] => Ok(DataType::Float64),
        ["blob"] => Ok(DataType::Binary),
        _ => Err(TableError::Format(format!(
            "reading {:?}, table {table:?}: column {:?} declares no type and holds {}; leave it out with the option \
             \"columns\", or read a view that casts it",
            database.name,
            column.name,
            kinds.join(" and ")
        ))),
    }
}

/// A column being filled.
enum Cells {
    Integers(Int64Builder),
    Floats(Float64Builder),
    Flags(BooleanBuilder),
    Texts(StringBuilder),
    Blobs(BinaryBuilder),
}

impl Cells {
    fn new(data_type: &DataType) -> Self {
        match data_type {
            DataType::Int64 => Cells::Integers(Int64Builder::new()),
            DataType::Float64 => Cells::Floats(Float64Builder::new()),
            DataType::Boolean => Cells::Flags(BooleanBuilder::new()),
            DataType::Binary => Cells::Blobs(BinaryBuilder::new()),
            _ => Cells::Texts(StringBuilder::new()),
        }
    }

    /// SQLite keeps types per value, not per column; what does not fit is an error, never converted quietly.
    fn push(&mut self, value: ValueRef<'_>) -> Result<(), String> {
        match (self, value) {
            (Cells::Integers(cells), ValueRef::Null) => cells.append_null(),
            (Cells::Integers(cells), ValueRef::Integer(value)) => cells.append_value(value),
            (Cells::Floats(cells), ValueRef::Null) => cells.append_null(),
            (Cells::Floats(cells), ValueRef::Real(value)) => cells.append_value(value),
            // SQLite itself stores whole floats as integers, and says that this is not visible.
            (Cells::Floats(cells), ValueRef::Integer(value)) if value.unsigned_abs() <= EXACT => {
                cells.append_value(value as f64);
            }
            (Cells::Flags(cells), ValueRef::Null) => cells.append_null(),
            (Cells::Flags(cells), ValueRef::Integer(value @ 0..=1)) => cells.append_value(value == 1),
            (Cells::Texts(cells), ValueRef::Null) => cells.append_null(),
            (Cells::Texts(cells), ValueRef::Text(text)) => {
                cells.append_value(std::str::from_utf8(text).map_err(|_| "the text is not UTF-8")?);
            }
            (Cells::Blobs(cells), ValueRef::Null) => cells.append_null(),
            (Cells::Blobs(cells), ValueRef::Blob(bytes)) => cells.append_value(bytes),
            (cells, value) => {
                let (expected, found) = (type_names::show(&cells.data_type()), value.data_type());
                return Err(format!("{expected} is expected, a value of type {found} found"));
            }
        }
        Ok(())
    }

    fn data_type(&self) -> DataType {
        match self {
            Cells::Integers(_) => DataType::Int64,
            Cells::Floats(_) => DataType::Float64,
            Cells::Flags(_) => DataType::Boolean,
            Cells::Texts(_) => DataType::Utf8,
            Cells::Blobs(_) => DataType::Binary,
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Cells::Integers(mut cells) => ArrayBuilder::finish(&mut cells),
            Cells::Floats(mut cells) => ArrayBuilder::finish(&mut cells),
            Cells::Flags(mut cells) => ArrayBuilder::finish(&mut cells),
            Cells::Texts(mut cells) => ArrayBuilder::finish(&mut cells),
            Cells::Blobs(mut cells) => ArrayBuilder::finish(&mut cells),
        }
    }
}
