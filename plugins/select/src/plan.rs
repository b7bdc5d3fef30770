//! The configuration checked against the schema: where every column comes from, and what it becomes.

use parshall_sdk::{config::escaped, prelude::*};

use crate::{
    cast::Cast,
    config::{Config, Wanted},
};

/// What the stage does to every batch.
#[derive(Debug, Default)]
pub struct Plan {
    /// In the order in which they leave.
    pub columns: Vec<Source>,
    /// What is cast; `Source::Cast` counts in it.
    pub casts: Vec<Cast>,
    /// Of what leaves.
    pub fields: Vec<Field>,
}

/// Where a column of the output comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The input, as it is: it never enters the sandbox.
    Input(usize),
    /// The cast of this index.
    Cast(usize),
}

/// Checks a configuration.
pub fn plan(config: &Config, schema: &Schema) -> Result<Plan, StageError> {
    match &config.columns {
        Some(columns) => {
            one_style(config)?;
            listed(columns, schema)
        }
        None => in_place(config, schema),
    }
}

/// `columns` says everything: beside it the other keys would contradict it or be idle.
fn one_style(config: &Config) -> Result<(), StageError> {
    let others = [("/drop", config.drop.is_empty()), ("/rename", config.rename.0.is_empty()), ("/cast", config.cast.0.is_empty())];
    match others.iter().find(|(_, empty)| !empty) {
        None => Ok(()),
        Some((pointer, _)) => {
            let message = format!("`columns` says which columns there are: beside it there is no `{}`", &pointer[1..]);
            Err(StageError::config(*pointer, message)
                .help("in `columns`, write { name = …, as = …, cast = … }, and leave out what is dropped"))
        }
    }
}

fn listed(columns: &[Wanted], schema: &Schema) -> Result<Plan, StageError> {
    if columns.is_empty() {
        return Err(StageError::config("/columns", "no column would be left"));
    }
    let mut plan = Plan::default();
    for (place, wanted) in columns.iter().enumerate() {
        let pointer = format!("/columns/{place}");
        // A table's keys have pointers of their own, a bare name has none.
        let bare = wanted.new_name.is_none() && wanted.cast.is_none();
        let name_at = if bare { pointer.clone() } else { format!("{pointer}/name") };
        let index = column_index(schema, &wanted.name, &name_at)?;
        let cast = wanted.cast.as_deref().map(|name| (name, format!("{pointer}/cast")));
        let new_name = wanted.new_name.as_deref().map(|name| (name, format!("{pointer}/as")));
        plan.push(schema, index, new_name, cast, &name_at)?;
    }
    Ok(plan)
}

fn in_place(config: &Config, schema: &Schema) -> Result<Plan, StageError> {
    let Config { drop, rename, cast, .. } = config;
    if drop.is_empty() && rename.0.is_empty() && cast.0.is_empty() {
        return Err(StageError::config("", "nothing is selected").help("say `columns`, or some of `drop`, `rename` and `cast`"));
    }
    let mut dropped = vec![false; schema.fields().len()];
    for (place, name) in drop.iter().enumerate() {
        dropped[column_index(schema, name, &format!("/drop/{place}"))?] = true;
    }
    if dropped.iter().all(|dropped| *dropped) {
        return Err(StageError::config("/drop", "no column would be left"));
    }
    for (key, names) in [("rename", rename), ("cast", cast)] {
        for (name, _) in &names.0 {
            let pointer = at(key, name);
            let index = column_index(schema, name, &pointer).map_err(|error| renamed(error, name, config))?;
            if dropped[index] {
                return Err(StageError::config(pointer, format!("`{name}` is dropped")));
            }
        }
    }
    let mut plan = Plan::default();
    for (index, field) in schema.fields().iter().enumerate().filter(|(index, _)| !dropped[*index]) {
        let name = field.name();
        let new_name = rename.get(name).map(|new_name| (new_name, at("rename", name)));
        // A name that is taken already was taken by a renamed column.
        let taken_by = rename.0.iter().find(|(_, new_name)| new_name == name).map_or(String::new(), |(old, _)| at("rename", old));
        plan.push(schema, index, new_name, cast.get(name).map(|to| (to, at("cast", name))), &taken_by)?;
    }
    Ok(plan)
}

fn at(key: &str, name: &str) -> String {
    format!("/{key}/{}", escaped(name))
}

/// Whoever renames a column may think of it by its new name.
fn renamed(error: StageError, name: &str, config: &Config) -> StageError {
    match config.rename.0.iter().find(|(_, new)| *new == name) {
        Some((old, _)) => error.help(format!("columns go by the names that they have in the input: this one is `{old}`")),
        None => error,
    }
}

// === impl Plan ===

impl Plan {
    /// Adds a column. Names and types come with their places in the configuration; `otherwise` is the place of a column
    /// that has no new name.
    fn push(
        &mut self,
        schema: &Schema,
        index: usize,
        new_name: Option<(&str, String)>,
        cast: Option<(&str, String)>,
        otherwise: &str,
    ) -> Result<(), StageError> {
        let field = schema.field(index);
        let (name, name_at) = new_name.unwrap_or((field.name(), otherwise.into()));
        if self.fields.iter().any(|known| known.name() == name) {
            return Err(StageError::config(name_at, format!("two columns would be called `{name}`")));
        }
        let cast = cast.map(|(type_name, pointer)| Cast::new(field, index, type_name, &pointer)).transpose()?;
        match cast.flatten() {
            Some(cast) => {
                // Without the metadata: what it says of the type need not hold for another.
                self.fields.push(Field::new(name, cast.to.clone(), field.is_nullable()));
                self.columns.push(Source::Cast(self.casts.len()));
                self.casts.push(cast);
            }
            None => {
                self.fields.push(field.clone().with_name(name));
                self.columns.push(Source::Input(index));
            }
        }
        Ok(())
    }
}
