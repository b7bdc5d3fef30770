//! Whether what a component says of its configuration is JSON Schema: the keywords that are there have the form that
//! draft 2020-12 gives them. Whether a configuration fits the schema is the component's to say.

use serde_json::{Map, Value};

const TYPES: [&str; 7] = ["null", "boolean", "object", "array", "number", "string", "integer"];
/// Keywords whose value is a schema.
const SCHEMA: [&str; 12] = [
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
    "additionalItems",
];
/// Keywords whose value is a list of schemas.
const SCHEMAS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords whose value is an object of schemas.
const NAMED: [&str; 5] = ["$defs", "definitions", "dependentSchemas", "patternProperties", "properties"];
/// Keywords whose value is a string.
const TEXT: [&str; 8] = ["$id", "$ref", "$schema", "title", "description", "format", "pattern", "$anchor"];
/// Keywords whose value is a number not below 0.
const COUNT: [&str; 8] = ["maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties", "minContains", "maxContains"];
/// Keywords whose value is a number.
const NUMBER: [&str; 5] = ["exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"];

/// What is wrong with a schema, and where, as a JSON Pointer into it.
pub fn complaint(schema: &Value) -> Option<String> {
    complaint_at(schema, "")
}

fn complaint_at(schema: &Value, at: &str) -> Option<String> {
    match schema {
        Value::Bool(_) => None,
        Value::Object(object) => object.iter().find_map(|(keyword, value)| keyword_complaint(keyword, value, &format!("{at}/{keyword}"))),
        other => Some(format!("{}: a schema is an object or a boolean, not {other}", shown(at))),
    }
}

fn keyword_complaint(keyword: &str, value: &Value, at: &str) -> Option<String> {
    let expected = |what: &str| Some(format!("{at}: expected {what}, found {value}"));
    match keyword {
        "type" => complaint_of_types(value).then(|| expected("a type or a list of types")).flatten(),
        "required" => (!distinct_texts(value)).then(|| expected("a list of distinct names")).flatten(),
        "enum" => (!value.is_array()).then(|| expected("a list")).flatten(),
        "uniqueItems" => (!value.is_boolean()).then(|| expected("true or false")).flatten(),
        _ if TEXT.contains(&keyword) => (!value.is_string()).then(|| expected("a string")).flatten(),
        _ if COUNT.contains(&keyword) => (!value.is_u64()).then(|| expected("a whole number not below 0")).flatten(),
        _ if NUMBER.contains(&keyword) => (!value.is_number()).then(|| expected("a number")).flatten(),
        _ if SCHEMA.contains(&keyword) => complaint_at(value, at),
        _ if SCHEMAS.contains(&keyword) => match value {
            Value::Array(schemas) => schemas.iter().enumerate().find_map(|(index, schema)| complaint_at(schema, &format!("{at}/{index}"))),
            _ => expected("a list of schemas"),
        },
        _ if NAMED.contains(&keyword) => match value {
            Value::Object(schemas) => schemas.iter().find_map(|(name, schema)| complaint_at(schema, &format!("{at}/{name}"))),
            _ => expected("an object of schemas"),
        },
        _ => None,
    }
}

fn complaint_of_types(value: &Value) -> bool {
    let known = |value: &Value| value.as_str().is_some_and(|name| TYPES.contains(&name));
    match value {
        Value::Array(names) => names.is_empty() || !names.iter().all(known),
        name => !known(name),
    }
}

fn distinct_texts(value: &Value) -> bool {
    let Value::Array(names) = value else { return false };
    names.iter().all(Value::is_string) && names.iter().enumerate().all(|(index, name)| !names[..index].contains(name))
}

fn shown(at: &str) -> &str {
    if at.is_empty() { "at the top" } else { at }
}

/// The properties that a schema names at its top.
pub fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}

/// The properties that must be there.
pub fn required(schema: &Value) -> Vec<&str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Protects against a schema that editors choke on passing as one.
    #[test]
    fn what_is_no_schema_is_told_where() {
        assert_eq!(complaint(&json!({ "type": "object", "properties": { "a": { "type": ["string", "null"], "minLength": 1 } } })), None);
        for (schema, at) in [
            (json!([]), "at the top"),
            (json!({ "type": "text" }), "/type"),
            (json!({ "properties": { "a": 1 } }), "/properties/a"),
            (json!({ "required": ["a", "a"] }), "/required"),
            (json!({ "oneOf": [true, { "minimum": "1" }] }), "/oneOf/1/minimum"),
        ] {
            let told = complaint(&schema).unwrap_or_else(|| panic!("{schema} passes"));
            assert!(told.starts_with(at), "{told}");
        }
    }
}
