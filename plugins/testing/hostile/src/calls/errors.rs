//! Reports each kind of error that the contract has.

use parshall_sdk::abi::{Maybe, Outcome, SchemaError, StageError, Text};

use crate::lie::*;

pub const CONFIG: Lie = Lie::about_schema("error-config", |_| Outcome::Err(config_error("wrong on purpose", "choose another mode")));

pub const SCHEMA: Lie = Lie::about_schema("error-schema", |_| {
    Outcome::Err(StageError::Schema(SchemaError { column: Maybe::Some(Text::of("c0")), message: Text::of("wrong on purpose") }))
});

pub const DATA: Lie = Lie::about_recipe("error-data", |_| Outcome::Err(StageError::Data(Text::of("bad data on purpose"))));

pub const UNAVAILABLE: Lie = Lie::about_recipe("error-unavailable", |_| Outcome::Err(StageError::Unavailable(Text::of("away on purpose"))));

pub const INTERNAL: Lie = Lie::about_recipe("error-internal", |_| Outcome::Err(StageError::Internal(Text::of("broken on purpose"))));
