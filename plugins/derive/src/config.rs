//! The stage's configuration.

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};

/// `[transform.NAME.config]` of a `std:derive`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Names and expressions.
    pub columns: Columns,
}

/// In the order in which they are written: a later one may mention an earlier one.
pub struct Columns(pub Vec<(String, String)>);

// === impl Columns ===

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Columns;

            fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
                formatter.write_str("a table of column names and expressions")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Columns, A::Error> {
                let mut pairs: Vec<(String, String)> = Vec::new();
                while let Some((name, text)) = map.next_entry::<String, String>()? {
                    if pairs.iter().any(|(known, _)| *known == name) {
                        return Err(A::Error::custom(format!("the column `{name}` is derived twice")));
                    }
                    pairs.push((name, text));
                }
                Ok(Columns(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}
