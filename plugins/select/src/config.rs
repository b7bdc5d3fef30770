//! The configuration as written.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// Either `columns`, or some of `drop`, `rename` and `cast`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The columns that are kept, in this order.
    pub columns: Option<Vec<Wanted>>,
    /// Columns that are left out.
    #[serde(default)]
    pub drop: Vec<String>,
    /// Old names and new ones.
    #[serde(default)]
    pub rename: Pairs,
    /// Columns and types.
    #[serde(default)]
    pub cast: Pairs,
}

/// Names, and what is said of each. A handful: a map would weigh more than it finds sooner.
#[derive(Debug, Default)]
pub struct Pairs(pub Vec<(String, String)>);

/// `"name"`, or `{ name = …, as = …, cast = … }`.
#[derive(Debug)]
pub struct Wanted {
    /// Of the input's column.
    pub name: String,
    /// What it is called afterwards.
    pub new_name: Option<String>,
    /// The name of a type.
    pub cast: Option<String>,
}

// === impl Pairs ===

impl Pairs {
    /// What is said of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, said)| said.as_str())
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Pairs;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("a table of column names and strings")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Pairs, M::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

// === impl Wanted ===

impl<'de> Deserialize<'de> for Wanted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            name: String,
            r#as: Option<String>,
            cast: Option<String>,
        }

        // Not `#[serde(untagged)]`: that says of every mistake that no variant matches.
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Wanted;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("a column's name, or a table with `name`, `as` and `cast`")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Wanted, E> {
                Ok(Wanted { name: name.into(), new_name: None, cast: None })
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Wanted, M::Error> {
                let Table { name, r#as, cast } = Table::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Wanted { name, new_name: r#as, cast })
            }
        }
        deserializer.deserialize_any(Either)
    }
}
