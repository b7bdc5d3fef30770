//! The configuration as written.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

/// `{ group_by = […], aggregates = { … } }`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Columns whose values make a group. None: all rows are one group.
    #[serde(default)]
    pub group_by: Vec<String>,
    /// What is computed for each group.
    #[serde(default)]
    pub aggregates: Written,
}

/// Names and calls in the order in which they were written: that of the columns that come out. A map would lose it.
#[derive(Debug, Default)]
pub struct Written(pub Vec<(String, String)>);

// === impl Written ===

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a table of names and calls such as `mean(dep_delay)`")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Written, M::Error> {
                let mut written = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    written.push(entry);
                }
                Ok(Written(written))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}
