//! The JSON Schema (2020-12) of a pipeline file, for editors. Made from the keys that the reader knows.

use serde_json::{Map, Value, json};

use super::spec::{
    keys::{self, Key, Shape},
    limits::{LIMITS, Limit},
    units,
};
use crate::words::stage::Kind;

/// A string with a variable in it may become anything.
const VARIABLE: &str = r"|.*\$\{.+\}.*";

/// The schema. With the names (`filter`, without `std:`) and configuration schemas of the standard components, `config`
/// is checked and completed as well.
pub fn schema(std: &[(&str, &Value)]) -> Value {
    let mut defs = Map::new();
    for kind in [Kind::Extract, Kind::Transform, Kind::Load] {
        defs.insert(kind.to_string(), stage(kind, std));
    }
    for (name, config) in std {
        defs.insert(def_name(name), relocate(config, &format!("#/$defs/{}", def_name(name))));
    }
    let mut schema = table(keys::FILE, &["extract", "load"]);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Parshall pipeline");
    schema["$defs"] = Value::Object(defs);
    schema
}

/// What a key's value must be, with its description and default.
fn value(key: &Key) -> Value {
    let mut schema = shape(&key.shape);
    schema["description"] = json!(key.doc);
    if let Some(default) = key.default {
        schema["default"] = serde_json::from_str(default).unwrap_or_else(|_| json!(default));
    }
    schema
}

fn shape(shape: &Shape) -> Value {
    match shape {
        Shape::Text => json!({"type": "string"}),
        Shape::Component => {
            json!({"type": "string", "minLength": 1, "examples": ["std:filter", "stages/mine.wasm", "oci://registry.example.com/team/mine:1.0"]})
        }
        Shape::Inputs => {
            let pattern = format!(r"^([a-z][a-z0-9_-]*(\..+)?{VARIABLE})$");
            json!({"type": "array", "minItems": 1, "uniqueItems": true, "items": {"type": "string", "pattern": pattern}})
        }
        Shape::Config => json!({"type": "object"}),
        // What no integer of TOML exceeds needs no bound here.
        Shape::Count { min, max } if *max >= i64::MAX as u64 => json!({"type": "integer", "minimum": min}),
        Shape::Count { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Shape::Bytes => json!({"type": ["integer", "string"], "minimum": 1, "pattern": quantity(&units::byte_units())}),
        Shape::Time => json!({"type": "string", "pattern": quantity(&units::time_units())}),
        Shape::Files => json!({"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}}),
        Shape::Places => json!({"type": "array", "items": {"type": "string", "minLength": 1}}),
        // `Authority` says more about a host than a pattern could.
        Shape::Hosts => {
            json!({"type": "array", "items": {"type": "string", "minLength": 1}, "examples": [["api.example.com", "127.0.0.1:8080"]]})
        }
        Shape::Variables => json!({"type": "array", "items": {"type": "string", "pattern": format!("^([^=]+{VARIABLE})$")}}),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Factor => json!({"type": "number", "exclusiveMinimum": 0}),
        Shape::Ratio => json!({"type": "number", "minimum": 0, "maximum": 1}),
        Shape::Bounds => json!({"type": "array", "minItems": 1, "maxItems": 64, "items": {"type": "number", "exclusiveMinimum": 0}}),
        Shape::Words(words) => json!({"enum": words}),
        Shape::OnError => json!({"oneOf": [{"enum": keys::ON_ERROR_WORDS}, table(keys::ON_ERROR, &[])]}),
        Shape::Limits => limits(),
        Shape::Table(keys) => table(*keys, &[]),
        Shape::Stages(kind) => json!({
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": "^[a-z][a-z0-9_-]*$"},
            "additionalProperties": {"$ref": format!("#/$defs/{kind}")},
        }),
    }
}

fn quantity(units: &[&str]) -> String {
    format!(r"^(\s*[0-9][0-9_]*(\.[0-9]+)?\s*({})\s*{VARIABLE})$", units.join("|"))
}

fn table<'a>(keys: impl IntoIterator<Item = &'a Key>, required: &[&str]) -> Value {
    let properties: Map<String, Value> = keys.into_iter().map(|key| (key.name.to_owned(), value(key))).collect();
    let mut table = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        table["required"] = json!(required);
    }
    table
}

fn limits() -> Value {
    let property = |limit: &Limit| {
        let mut schema = value(&limit.key);
        schema["default"] = match limit.key.shape {
            Shape::Bytes => json!(units::write_bytes(limit.default())),
            Shape::Time => json!(units::write_time(std::time::Duration::from_nanos(limit.default()))),
            _ => json!(limit.default()),
        };
        (limit.key.name.to_owned(), schema)
    };
    let properties: Map<String, Value> = LIMITS.iter().map(property).collect();
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

fn stage(kind: Kind, std: &[(&str, &Value)]) -> Value {
    let required: &[&str] = if kind == Kind::Extract { &["component"] } else { &["component", "inputs"] };
    let mut schema = table(keys::of_stage(kind), required);
    schema["description"] = json!(match kind {
        Kind::Extract => "A stage that brings data in.",
        Kind::Transform => "A stage that turns batches into other batches.",
        Kind::Load => "A stage that takes data out.",
    });
    let configs: Vec<Value> = std.iter().map(|(name, config)| of_component(name, config)).collect();
    if !configs.is_empty() {
        schema["allOf"] = Value::Array(configs);
    }
    schema
}

/// The configuration that goes with a component. `config` may be left out only where nothing in it is required.
fn of_component(name: &str, config: &Value) -> Value {
    let required = config.get("required").and_then(Value::as_array).is_some_and(|required| !required.is_empty());
    let mut then = json!({"properties": {"config": {"$ref": format!("#/$defs/{}", def_name(name))}}});
    if required {
        then["required"] = json!(["config"]);
    }
    json!({
        "if": {"properties": {"component": {"const": format!("std:{name}")}}, "required": ["component"]},
        "then": then,
    })
}

fn def_name(component: &str) -> String {
    format!("std-{component}")
}

/// A schema that was a document of its own, to stand at `place` in another: its references follow.
fn relocate(schema: &Value, place: &str) -> Value {
    match schema {
        Value::Object(object) => {
            let moved = |(key, value): (&String, &Value)| match (key.as_str(), value) {
                ("$schema" | "$id", Value::String(_)) => None,
                ("$ref", Value::String(target)) => {
                    let target = target.strip_prefix('#').map_or_else(|| target.clone(), |target| format!("{place}{target}"));
                    Some((key.clone(), Value::String(target)))
                }
                _ => Some((key.clone(), relocate(value, place))),
            };
            Value::Object(object.iter().filter_map(moved).collect())
        }
        Value::Array(elements) => elements.iter().map(|element| relocate(element, place)).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys_of(schema: &Value) -> Vec<&str> {
        let mut keys: Vec<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort();
        keys
    }

    /// That the reader reads exactly these keys is `spec::tests::every_key_is_read_and_minds_its_type`, and that it
    /// knows every field of `Limits` is a test of `spec::limits`.
    #[test]
    fn every_key_that_is_read_is_in_the_schema() {
        let schema = schema(&[]);
        let sorted = |keys: &mut dyn Iterator<Item = &'static Key>| {
            let mut names: Vec<&str> = keys.map(|key| key.name).collect();
            names.sort();
            names
        };
        assert_eq!(keys_of(&schema), sorted(&mut keys::FILE.iter()));
        assert_eq!(keys_of(&schema["properties"]["defaults"]), sorted(&mut keys::DEFAULTS.iter()));
        assert_eq!(keys_of(&schema["$defs"]["transform"]), sorted(&mut keys::STAGE.iter()));
        assert_eq!(keys_of(&schema["$defs"]["load"]), sorted(&mut keys::of_stage(Kind::Load)));
        assert_eq!(keys_of(&schema["properties"]["dead_letters"]), sorted(&mut keys::DEAD_LETTERS.iter()));
        assert_eq!(
            keys_of(&schema["$defs"]["extract"]),
            ["component", "config", "grants", "limits", "metering", "metering_every", "on_error", "recycle"]
        );
        let stage = &schema["$defs"]["transform"]["properties"];
        assert_eq!(keys_of(&stage["grants"]), sorted(&mut keys::GRANTS.iter()));
        assert_eq!(keys_of(&stage["limits"]), sorted(&mut LIMITS.iter().map(|limit| &limit.key)));
    }

    #[test]
    fn every_key_is_described_and_every_limit_has_its_default() {
        let schema = schema(&[]);
        let stage = &schema["$defs"]["transform"]["properties"];
        let described = |table: &Value| {
            table.as_object().unwrap().values().all(|key| key["description"].as_str().is_some_and(|doc| doc.ends_with('.')))
        };
        assert!(described(&schema["properties"]) && described(stage) && described(&stage["limits"]["properties"]));
        let limits = &stage["limits"]["properties"];
        assert_eq!((&limits["memory"]["default"], &limits["timeout"]["default"]), (&json!("256MiB"), &json!("30s")));
        assert_eq!(limits["fuel"]["default"], json!(20_000_000_000u64));
        assert_eq!((&stage["queue"]["default"], &stage["instances"]["default"]), (&json!("8MiB"), &json!(1)));
        let delivery = &schema["properties"]["delivery"]["properties"];
        assert_eq!((&delivery["snapshot"]["default"], &delivery["runs"]["default"]), (&json!("64MiB"), &json!(keys::DEFAULT_RUNS)));
        assert_eq!(units::bytes("64MiB").unwrap(), keys::DEFAULT_SNAPSHOT, "as documented and as used");
        assert_eq!(units::bytes("8MiB").unwrap(), keys::DEFAULT_QUEUE, "the queue's default as documented and as used");
    }

    #[test]
    fn configurations_of_standard_components_are_checked() {
        let filter = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {"where": {"$ref": "#/$defs/expression"}},
            "required": ["where"],
            "$defs": {"expression": {"type": "string"}},
        });
        let schema = schema(&[("filter", &filter)]);
        assert_eq!(schema["$defs"]["std-filter"]["properties"]["where"]["$ref"], json!("#/$defs/std-filter/$defs/expression"));
        assert!(schema.pointer("/$defs/std-filter/$defs/expression").is_some() && schema["$defs"]["std-filter"].get("$schema").is_none());
        let condition = &schema["$defs"]["transform"]["allOf"][0];
        assert_eq!(condition["if"]["properties"]["component"]["const"], json!("std:filter"));
        assert_eq!(condition["then"]["properties"]["config"]["$ref"], json!("#/$defs/std-filter"));
        assert_eq!(condition["then"]["required"], json!(["config"]));
    }
}
