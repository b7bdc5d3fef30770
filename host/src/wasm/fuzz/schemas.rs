//! Schemas that a guest might declare.

use super::super::{
    contract::{Field, FieldFlags, Schema},
    schema,
};
use crate::words::{entropy::Entropy, limits::Limits};

/// Format strings of the C data interface, some of them wrong.
pub const FORMATS: &[&str] = &[
    "n",
    "b",
    "c",
    "C",
    "s",
    "S",
    "i",
    "I",
    "l",
    "L",
    "e",
    "f",
    "g",
    "z",
    "Z",
    "vz",
    "vu",
    "u",
    "U",
    "d:19,10",
    "d:5,2,32",
    "d:99,1",
    "w:42",
    "w:-1",
    "w:99999999999",
    "tdD",
    "tdm",
    "tts",
    "ttm",
    "ttu",
    "ttn",
    "tss:",
    "tsm:UTC",
    "tsu:Nowhere/At all",
    "tsn:",
    "tDs",
    "tDm",
    "tiM",
    "tiD",
    "tin",
    "+l",
    "+L",
    "+vl",
    "+vL",
    "+w:3",
    "+w:-3",
    "+s",
    "+m",
    "+ud:0,1",
    "+us:0,1",
    "+us:7,7",
    "+ud:300",
    "+r",
    "",
    "?",
    "+",
    "d:",
    "w:",
    "+w:",
    "ts",
    "+u",
    "d:1,2,3,4",
];

/// Lifts one; what is a schema can go back, or is refused in words.
pub fn case(chance: &mut Entropy) -> Result<(), String> {
    let limits = Limits { schema_fields: 40, schema_bytes: 2_000, nesting: 5, ..Limits::default() };
    let fields = (0..chance.below(12)).map(|_| field(chance)).collect();
    let metadata = pairs(chance);
    let lifted = schema::lift(Schema { fields, metadata }, &limits).map_err(|error| error.to_string())?;
    match schema::lower(&lifted) {
        Ok(lowered) => assert_eq!(*schema::lift(lowered, &Limits::default()).expect("what was lowered can be lifted"), *lifted),
        Err(error) => drop(error.to_string()),
    }
    Ok(())
}

fn field(chance: &mut Entropy) -> Field {
    let format = match chance.below(8) {
        0 => (*chance.one(FORMATS)).to_owned(),
        1 => {
            let mut text = chance.one(FORMATS).as_bytes().to_vec();
            chance.mutate(&mut text, 20);
            String::from_utf8_lossy(&text).into_owned()
        }
        // Mostly simple ones, so that some are right as a whole.
        _ => (*chance.one(&["l", "u", "+l", "+s", "i", "b"])).to_owned(),
    };
    let children = match format.as_str() {
        "+l" => 1,
        "+s" => chance.below(3) as u32,
        _ if chance.once_in(12) => chance.below(4) as u32,
        _ => 0,
    };
    let flags = if chance.once_in(6) { FieldFlags::DICTIONARY_ENCODED } else { FieldFlags::NULLABLE };
    let name = if chance.once_in(20) { "a\0b".to_owned() } else { "x".repeat(chance.below(5)) };
    Field { name, format, flags, children, metadata: pairs(chance) }
}

fn pairs(chance: &mut Entropy) -> Vec<(String, String)> {
    let keys = ["k", "", "ARROW:extension:name", "ARROW:extension:metadata", "k\0"];
    let count = if chance.once_in(5) { chance.below(3) } else { 0 };
    (0..count).map(|_| ((*chance.one(&keys)).to_owned(), "v".repeat(chance.below(200)))).collect()
}
