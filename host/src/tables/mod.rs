//! Floor 1c: tables read and written by the host itself, at granted locations, in batches.
//!
//! A location goes through `location` (text → place), `access` (place → granted, real place), `listing` (place →
//! files) and `store` (file → bytes); then a format's `…_read` decodes, or `encoder` and `output` write aside and
//! `commit` puts in place. Imports `words` only.

mod access;
mod arrow_ipc_read;
mod claims;
mod csv_read;
mod encoder;
mod failure;
mod fault;
mod fits;
mod follow;
mod format;
mod generate;
mod held;
mod input;
mod json_read;
mod lines;
mod listing;
mod location;
mod nearest;
mod options;
mod origin;
mod output;
mod parquet_chunks;
mod parquet_read;
mod parts;
mod position;
mod projection;
mod reader;
mod skip;
mod sqlite;
mod sqlite_aside;
mod sqlite_read;
mod sqlite_vfs;
mod sqlite_write;
mod store;
#[cfg(test)]
mod tests;
mod text_types;
pub mod type_names;
mod writer;

use std::{path::Path, sync::Arc};

use access::Access;
use format::{Format, Named};
use location::{Location, is_pattern, shown};
use options::{ReadOptions, WriteOptions};
use output::Target;
use sqlite::Database;

use crate::words::{
    batch::SchemaRef,
    delivery::Delivery,
    grants::Grants,
    tables::{TableError, TableReader, TableWriter, Tables},
};

/// Reads and writes tables in this process: local files, object stores, SQLite.
#[derive(Default)]
pub struct NativeTables {
    stores: store::Stores,
    claims: claims::Claims,
    delivery: Option<Arc<Delivery>>,
}

impl NativeTables {
    /// Opens nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// For a run that takes checkpoints: what is written becomes visible with them.
    pub fn delivering(delivery: Arc<Delivery>) -> Self {
        NativeTables { delivery: Some(delivery), ..Self::default() }
    }

    fn parts(&self, grants: &Grants, path: &Path, schema: SchemaRef, options: WriteOptions) -> Result<Box<dyn TableWriter>, TableError> {
        let name = shown(&grants.base, path);
        no_pattern(&name)?;
        let path = access::path(grants, Access::Write, path)?;
        let (key, delivery) = (path.display().to_string(), self.delivery.clone());
        self.claims.open(key, &name, || Ok(Box::new(parts::Writer::open(path, name.clone(), schema, options, delivery)?)))
    }

    /// A table that appears whole at the end of a run has no part in checkpoints.
    fn no_checkpoints(&self, name: &str, instead: &str) -> Result<(), TableError> {
        match &self.delivery {
            None => Ok(()),
            Some(_) => Err(TableError::Options(format!(
                "{name:?} would appear whole at the end of the run, and this pipeline takes checkpoints; {instead}write \"sqlite:PATH\", or \
                 remove \"checkpoint\""
            ))),
        }
    }
}

// === impl Tables for NativeTables ===

impl Tables for NativeTables {
    fn reader(&self, grants: &Grants, location: &str, options: &str) -> Result<Box<dyn TableReader>, TableError> {
        if Location::parse(&grants.base, location)? == Location::Generator {
            access::generator(grants)?;
            return Ok(Box::new(generate::Reader::open(options)?));
        }
        let options = ReadOptions::parse(options)?;
        let location = as_database(Location::parse(&grants.base, location)?, options.format);
        if options.follow {
            return follow::open(grants, &location, options);
        }
        if let Location::Sqlite(path) = &location {
            only_sqlite(options.format)?;
            options.check(Format::Sqlite)?;
            let database = database(grants, Access::Read, path)?;
            return Ok(Box::new(sqlite_read::Reader::open(database, &options)?));
        }
        let listing = listing::list(&self.stores, grants, &location, options.format)?;
        Ok(Box::new(reader::Reader::open(listing, options)?))
    }

    fn writer(&self, grants: &Grants, location: &str, schema: SchemaRef, options: &str) -> Result<Box<dyn TableWriter>, TableError> {
        let options = WriteOptions::parse(options)?;
        let target = match as_database(Location::parse(&grants.base, location)?, options.format) {
            Location::Sqlite(path) => {
                only_sqlite(options.format)?;
                options.check(Format::Sqlite)?;
                let database = database(grants, Access::Write, &path)?;
                let (target, name) = (database.path.display().to_string(), database.name.clone());
                return self
                    .claims
                    .open(target, &name, || Ok(Box::new(sqlite_write::Writer::open(database, schema, &options, self.delivery.clone())?)));
            }
            Location::Path(path) if location.ends_with('/') => return self.parts(grants, &path, schema, options),
            Location::Path(path) => {
                let name = shown(&grants.base, &path);
                no_pattern(&name)?;
                self.no_checkpoints(&name, &format!("name a folder (\"{location}/\") for a part at each, "))?;
                Target::Local { path: access::path(grants, Access::Write, &path)?, name }
            }
            Location::Generator => {
                return Err(TableError::Options(format!("\"{location}\" makes rows and takes none; name a file to write")));
            }
            Location::Url(url) => {
                no_pattern(&url.key)?;
                if url.key.is_empty() || url.key.ends_with('/') {
                    return Err(TableError::Options(format!("\"{url}\" is a folder; name an object to write")));
                }
                access::url(grants, Access::Write, &url)?;
                self.no_checkpoints(&url.to_string(), "name a local folder for a part at each, ")?;
                Target::Remote(self.stores.remote(&url)?)
            }
        };
        let key = match &target {
            Target::Local { path, .. } => path.display().to_string(),
            Target::Remote(_) => target.name().to_owned(),
        };
        let name = target.name().to_owned();
        self.claims.open(key, &name, || Ok(Box::new(writer::Writer::open(target, schema, options)?)))
    }
}

/// A plain path that is said, or by its name known, to be a database.
fn as_database(location: Location, format: Option<Format>) -> Location {
    match location {
        Location::Path(path) if is_database(&path, format) => Location::Sqlite(path),
        other => other,
    }
}

fn is_database(path: &Path, format: Option<Format>) -> bool {
    let named = || Named::of(&path.to_string_lossy()).map(|named| named.format);
    format.or_else(named) == Some(Format::Sqlite)
}

fn only_sqlite(format: Option<Format>) -> Result<(), TableError> {
    match format {
        None | Some(Format::Sqlite) => Ok(()),
        Some(other) => Err(TableError::Options(format!(
            "the location is an SQLite database, but option \"format\" says {}; remove one of the two",
            other.name()
        ))),
    }
}

fn database(grants: &Grants, access: Access, path: &Path) -> Result<Database, TableError> {
    let name = format!("sqlite:{}", shown(&grants.base, path));
    Ok(Database { path: access::path(grants, access, path)?, name })
}

fn no_pattern(name: &str) -> Result<(), TableError> {
    if is_pattern(name) {
        return Err(TableError::Options(format!("{name:?} is a pattern; name one file to write")));
    }
    Ok(())
}
