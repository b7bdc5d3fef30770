//! SQLite tables, written: one transaction per commit, the table's replacement within it.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    compute::{CastOptions, cast_with_options},
    datatypes::{DataType, Field, Float64Type, Int64Type, Schema, SchemaRef},
};
use rusqlite::{Connection, Statement};

use super::{
    failure::io_error,
    fits,
    format::Format,
    held::{self, Created, Held},
    nearest::hint,
    options::{Mode, WriteOptions},
    sqlite::{Column, Database, Table, quote},
    sqlite_aside::Aside,
    sqlite_read::declared_type,
    sqlite_vfs::Opened,
    type_names,
    writer::check_batch,
};
use crate::words::{
    delivery::Delivery,
    tables::{TableError, TableWriter},
};

/// SQLite's own bound on the columns of a table, as compiled by default.
const COLUMN_LIMIT: usize = 2000;

/// Writes one table. From the first row to the commit it holds the database's only write transaction; others wait.
///
/// With `replace`, the first commit replaces the table and later ones of the same writer add to it. Where checkpoints are taken, a commit
/// prepares rows aside, and the checkpoint moves them.
pub struct Writer {
    database: Database,
    table: String,
    schema: SchemaRef,
    mode: Mode,
    aside: Option<Arc<Aside>>,
    /// Others may have made the table, and it may refuse rows.
    is_foreign: bool,
    open: Option<Open>,
    /// Whether the table is as this writer wants it, durably.
    is_made: bool,
    is_done: bool,
    has_failed: bool,
    /// Rows since the last commit.
    rows: u64,
}

struct Open {
    connection: Opened,
    insert: String,
    in_transaction: bool,
    /// Removed again if nothing is ever committed.
    created: Option<Created>,
}

impl Writer {
    pub fn open(
        database: Database,
        schema: SchemaRef,
        options: &WriteOptions,
        delivery: Option<Arc<Delivery>>,
    ) -> Result<Self, TableError> {
        let table = options.table.clone().unwrap_or_default();
        if table.is_empty() || table.contains('\0') || table.to_ascii_lowercase().starts_with("sqlite_") {
            return Err(TableError::Options(format!(
                "writing {:?}: the option \"table\" must name a table, and not begin with \"sqlite_\"; it is {table:?}",
                database.name
            )));
        }
        check_columns(&database, &schema, options)?;
        let aside = delivery.map(|delivery| Arc::new(aside(&database, &table, &schema, options.mode, delivery)));
        let mut is_made = false;
        if database.exists()? {
            let connection = database.open_to_write()?;
            let is_ours = aside.as_ref().map_or(Ok(false), |aside| aside.is_ours(&connection))?;
            let mode = if is_ours { Mode::Append } else { options.mode };
            is_made = check_existing((&database, &connection), &table, &schema, mode)?;
        }
        if let Some(aside) = &aside {
            aside.delivery.join(database.path.display().to_string(), Arc::clone(aside) as _);
        }
        let (is_foreign, mode) = (is_made && options.mode == Mode::Append, options.mode);
        Ok(Writer { database, table, schema, mode, aside, is_foreign, open: None, is_made, is_done: false, has_failed: false, rows: 0 })
    }

    fn check_state(&self) -> Result<(), TableError> {
        let why = match (self.has_failed, self.is_done) {
            (true, _) => "an earlier write failed, and what was written since the last commit is gone",
            (_, true) => "the last commit has been made",
            _ => return Ok(()),
        };
        Err(TableError::Options(format!("writing {:?}: {why}; open it anew", self.database.name)))
    }

    fn begin(&mut self) -> Result<&mut Open, TableError> {
        if self.open.is_none() {
            let into = self.aside.as_ref().map_or_else(|| quote(&self.table), |aside| aside.quoted());
            self.open = Some(connect(&self.database, &into, &self.schema)?);
        }
        let Some(open) = &mut self.open else { unreachable!("set above") };
        if open.in_transaction {
            return Ok(open);
        }
        // Immediate: whoever comes second waits here, and not halfway with work to lose.
        let begin = open.connection.execute_batch("BEGIN IMMEDIATE");
        begin.map_err(|error| self.database.error("writing", &error))?;
        open.in_transaction = true;
        if let Some(aside) = &self.aside {
            aside.begin(&open.connection).map_err(|error| self.database.error("writing", &error))?;
        } else if !self.is_made {
            let create = create(&self.table, &self.schema, self.mode);
            let created = open.connection.execute_batch(&create);
            created.map_err(|error| self.database.error("creating the table in", &error))?;
        }
        Ok(open)
    }

    fn insert(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        let columns = self.schema.fields().iter().zip(batch.columns());
        let columns = columns.map(|(field, array)| Cells::new(&self.database, field, array));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let (name, table) = (self.database.clone(), self.table.clone());
        let open = self.begin()?;
        let failed = |error: &rusqlite::Error| name.error(&format!("writing table {table:?} of"), error);
        let mut statement = open.connection.prepare(&open.insert).map_err(|error| failed(&error))?;
        for row in 0..batch.num_rows() {
            for (index, cells) in columns.iter().enumerate() {
                cells.bind(&mut statement, index + 1, row).map_err(|error| failed(&error))?;
            }
            statement.raw_execute().map_err(|error| failed(&error))?;
        }
        drop(statement);
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn publish(&mut self) -> Result<u64, TableError> {
        let (database, aside, is_foreign) = (self.database.clone(), self.aside.clone(), self.is_foreign);
        let open = self.begin()?;
        if let Some(aside) = aside {
            let rehearsed = if is_foreign { aside.rehearse(&open.connection) } else { Ok(()) };
            let prepared = rehearsed.and_then(|()| aside.prepared(&open.connection));
            prepared.map_err(|error| database.error("committing", &error))?;
        }
        // The default is FULL, and so durable; a database may have been set to less.
        let commit = open.connection.execute_batch("COMMIT");
        commit.map_err(|error| database.error("committing", &error))?;
        open.in_transaction = false;
        if let Some(folders) = open.created.take() {
            let durable = folders.keep().and_then(|()| Held::open(held::parent(&database.path))?.sync());
            durable.map_err(|error| io_error(&database.name, "committing", &error))?;
        }
        self.is_made = true;
        Ok(std::mem::take(&mut self.rows))
    }
}

// === impl TableWriter for Writer ===

impl TableWriter for Writer {
    fn format(&self) -> &'static str {
        super::format::Format::Sqlite.name()
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        self.check_state()?;
        check_batch(&self.database.name, &self.schema, batch)?;
        let result = self.insert(batch);
        // The rows before the bad one are in the transaction; a commit must not make half a batch durable. A database
        // that was busy before anything happened may be tried again.
        let untouched = self.rows == 0 && self.open.as_ref().is_none_or(|open| !open.in_transaction);
        self.has_failed = result.is_err() && !untouched;
        if self.has_failed {
            self.open = None;
        }
        result
    }

    fn commit(&mut self, last: bool) -> Result<u64, TableError> {
        self.check_state()?;
        let pending = self.open.as_ref().is_some_and(|open| open.in_transaction);
        // An empty run still leaves a table, but only its end tells that it is empty.
        let rows = if pending || (last && !self.is_made) { self.publish()? } else { 0 };
        self.is_done = last;
        Ok(rows)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let Some(mut open) = self.open.take() else { return };
        let created = open.created.take();
        // Rolls back.
        drop(open);
        if let Some(created) = created {
            self.database.discard(created);
        }
    }
}

fn aside(database: &Database, table: &str, schema: &Schema, mode: Mode, delivery: Arc<Delivery>) -> Aside {
    let (database, table) = (database.clone(), table.to_owned());
    Aside { database, table, columns: columns(schema), names: names(schema), mode, delivery }
}

/// `into` is the table's name, quoted.
fn connect(database: &Database, into: &str, schema: &Schema) -> Result<Open, TableError> {
    let created = match database.exists()? {
        true => None,
        false => Some(database.create()?),
    };
    match database.open_to_write() {
        Ok(connection) => Ok(Open { connection, insert: insert(into, schema), in_transaction: false, created }),
        Err(error) => {
            if let Some(created) = created {
                database.discard(created);
            }
            Err(error)
        }
    }
}

fn check_columns(database: &Database, schema: &SchemaRef, options: &WriteOptions) -> Result<(), TableError> {
    fits::check(Format::Sqlite, &database.name, schema, options)?;
    let refused = |why: String| Err(TableError::Format(format!("writing {:?}: {why}", database.name)));
    if schema.fields().len() > COLUMN_LIMIT {
        return refused(format!("{} columns are more than SQLite's {COLUMN_LIMIT}", schema.fields().len()));
    }
    // SQLite takes names without regard to case, Arrow does not.
    let mut seen = std::collections::HashMap::new();
    for field in schema.fields() {
        if field.name().contains('\0') || field.name().is_empty() {
            return refused(format!("column name {:?} is empty or holds a NUL; rename it", field.name()));
        }
        if let Some(other) = seen.insert(field.name().to_lowercase(), field.name()) {
            return refused(format!("columns {other:?} and {:?} are the same to SQLite; rename one", field.name()));
        }
    }
    Ok(())
}

/// Looks at the table that is there. Answers whether rows can go into it as it is.
fn check_existing((database, connection): (&Database, &Connection), table: &str, schema: &Schema, mode: Mode) -> Result<bool, TableError> {
    let Some(found) = database.table(connection, table)? else {
        return Ok(false);
    };
    let name = &database.name;
    if found.kind != "table" {
        return Err(TableError::Options(format!("{name:?}: {table:?} is a {}, which cannot be written", found.kind)));
    }
    match mode {
        Mode::Replace => Ok(false),
        Mode::Fail => Err(TableError::Options(format!(
            "{name:?} has a table {table:?} already, and \"mode\" is \"fail\"; drop it, or choose \"replace\" or \"append\""
        ))),
        Mode::Append => {
            schema.fields().iter().try_for_each(|field| check_column(database, table, &found, field))?;
            // What remains (generated columns, say) SQLite finds itself when it compiles the statement.
            let prepared = connection.prepare(&insert(&quote(table), schema)).map(drop);
            prepared.map_err(|error| database.error("appending to", &error))?;
            Ok(true)
        }
    }
}

fn check_column(database: &Database, table: &str, found: &Table, field: &Field) -> Result<(), TableError> {
    let refused = |why: String| {
        let (name, column) = (&database.name, field.name());
        Err(TableError::Format(format!("appending to {name:?}, table {table:?}: column {column:?} {why}")))
    };
    let names = || found.columns.iter().map(|column| column.name.as_str());
    let Some(column) = found.columns.iter().find(|column| column.name.eq_ignore_ascii_case(field.name())) else {
        let listed = names().collect::<Vec<_>>().join(", ");
        return refused(format!("does not exist{}; the table has {listed}", hint(field.name(), names())));
    };
    if takes(column, field.data_type()) {
        return Ok(());
    }
    let (declared, ours) = (&column.declared, type_names::show(field.data_type()));
    refused(format!("is declared {declared}, which would change values of type {ours}; convert them before"))
}

/// Whether a declared column keeps values of a type as they are: SQLite converts by declared type.
fn takes(column: &Column, data_type: &DataType) -> bool {
    let storage = storage(data_type);
    match declared_type(&column.declared) {
        Some(DataType::Int64 | DataType::Boolean) => storage == "INTEGER",
        Some(DataType::Float64) => storage == "REAL",
        Some(DataType::Utf8) => storage == "TEXT",
        Some(_) => storage == "BLOB",
        // Numeric: texts that look like numbers would become numbers. Dates and times never do.
        None => storage != "TEXT" || data_type.is_temporal() || column.declared.is_empty(),
    }
}

/// How values of a type are stored.
fn storage(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Dictionary(_, values) => storage(values),
        DataType::Boolean => "INTEGER",
        other if other.is_integer() => "INTEGER",
        other if other.is_floating() => "REAL",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => "BLOB",
        _ => "TEXT",
    }
}

fn columns(schema: &Schema) -> String {
    let column = |field: &Arc<Field>| {
        let not_null = if field.is_nullable() { "" } else { " NOT NULL" };
        format!("{} {}{not_null}", quote(field.name()), storage(field.data_type()))
    };
    schema.fields().iter().map(column).collect::<Vec<_>>().join(", ")
}

fn names(schema: &Schema) -> String {
    schema.fields().iter().map(|field| quote(field.name())).collect::<Vec<_>>().join(", ")
}

fn create(table: &str, schema: &Schema, mode: Mode) -> String {
    let (table, columns) = (quote(table), columns(schema));
    match mode {
        Mode::Replace => format!("DROP TABLE IF EXISTS {table}; CREATE TABLE {table} ({columns});"),
        Mode::Append | Mode::Fail => format!("CREATE TABLE {table} ({columns});"),
    }
}

/// `into` is the table's name, quoted.
fn insert(into: &str, schema: &Schema) -> String {
    let names = names(schema);
    let values = vec!["?"; schema.fields().len()].join(", ");
    format!("INSERT INTO {into} ({names}) VALUES ({values})")
}

/// A column in one of the four forms that SQLite keeps.
enum Cells {
    Integers(ArrayRef),
    Floats(ArrayRef),
    Texts(ArrayRef),
    Blobs(ArrayRef),
}

impl Cells {
    fn new(database: &Database, field: &Field, array: &ArrayRef) -> Result<Self, TableError> {
        // Unsafe casts answer null for what does not fit, safe ones (here) an error.
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        let cast = |to: &DataType| {
            cast_with_options(&in_utc(array), to, &strict).map_err(|error| {
                let (name, column) = (&database.name, field.name());
                TableError::Format(format!("writing {name:?}, column {column:?}: SQLite cannot hold a value: {error}"))
            })
        };
        match storage(field.data_type()) {
            "INTEGER" => cast(&DataType::Int64).map(Cells::Integers),
            "REAL" => cast(&DataType::Float64).map(Cells::Floats),
            "BLOB" => cast(&DataType::Binary).map(Cells::Blobs),
            _ => cast(&DataType::Utf8).map(Cells::Texts),
        }
    }

    fn bind(&self, statement: &mut Statement<'_>, index: usize, row: usize) -> rusqlite::Result<()> {
        let (Cells::Integers(array) | Cells::Floats(array) | Cells::Texts(array) | Cells::Blobs(array)) = self;
        if array.is_null(row) {
            return statement.raw_bind_parameter(index, rusqlite::types::Null);
        }
        match self {
            Cells::Integers(array) => statement.raw_bind_parameter(index, array.as_primitive::<Int64Type>().value(row)),
            Cells::Floats(array) => statement.raw_bind_parameter(index, array.as_primitive::<Float64Type>().value(row)),
            Cells::Texts(array) => statement.raw_bind_parameter(index, array.as_string::<i32>().value(row)),
            Cells::Blobs(array) => statement.raw_bind_parameter(index, array.as_binary::<i32>().value(row)),
        }
    }
}

/// Times with a zone are written in UTC: the instant is the same, and no table of zones is needed.
fn in_utc(array: &ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Timestamp(unit, Some(_)) => {
            let data = array.to_data().into_builder().data_type(DataType::Timestamp(*unit, Some("+00:00".into())));
            data.build().map(arrow::array::make_array).unwrap_or_else(|_| array.clone())
        }
        _ => array.clone(),
    }
}
