//! The configuration as written.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// `{ rules = [ … ] }`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// In the order in which they are tried.
    pub rules: Vec<Rule>,
}

/// What holds of every value of a column.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub column: String,
    /// What the reason begins with.
    pub name: Option<String>,
    #[serde(default)]
    pub not_null: bool,
    pub min: Option<Literal>,
    pub max: Option<Literal>,
    pub r#in: Option<Vec<Literal>>,
    pub min_length: Option<usize>,
    pub max_length: Option<usize>,
    pub pattern: Option<String>,
    #[serde(default)]
    pub unique: bool,
}

/// A value as written.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
}

// === impl Literal ===

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            // To write wider numbers takes code of its own; there are none.
            Self::Int(value) => match i64::try_from(*value) {
                Ok(value) => write!(f, "{value}"),
                Err(_) => write!(f, "{}", *value as u64),
            },
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Text(value) => f.write_str(&crate::form::quoted(value)),
        }
    }
}

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Literal;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a number, a string or a boolean")
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Literal, E> {
                Ok(Literal::Bool(value))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Literal, E> {
                Ok(Literal::Int(value.into()))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Literal, E> {
                Ok(Literal::Int(value.into()))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Literal, E> {
                Ok(Literal::Float(value))
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Literal, E> {
                Ok(Literal::Text(value.into()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
