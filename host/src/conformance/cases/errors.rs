//! Wrong configurations: the author of the pipeline is told where, and nothing traps.

use serde_json::{Value, json};

use super::{Case, expected, must};
use crate::{
    conformance::{
        card::{Asked, Finding, does_not_apply, fails},
        config,
        subject::Subject,
    },
    words::call::{CallError, StageError},
};

pub const CASES: &[Case] = &[
    must("a wrong setting is a `config` error", wrong_types),
    must("a missing setting is a `config` error", missing),
    expected("an unknown setting is refused where it stands", unknown),
    must("no configuration traps", odd_configurations),
];

/// A value that no schema of a setting of this type allows.
fn wrong_for(schema: &Value) -> Option<Value> {
    match schema.get("type")?.as_str()? {
        "string" => Some(json!(12)),
        "object" => Some(json!("no object")),
        "array" | "number" | "integer" => Some(json!({ "no": "number" })),
        "boolean" => Some(json!("maybe")),
        _ => None,
    }
}

fn description_schema(subject: &Subject) -> Result<Value, Finding> {
    let said = subject.component().description().map_err(|error| Finding::failed("`describe` fails", &error))?;
    Ok(said.config_schema.clone())
}

/// Each setting with a value of another type than its schema says.
fn wrong_types(subject: &Subject) -> Asked {
    let schema = description_schema(subject)?;
    let settings = config::properties(&schema).into_iter().flatten();
    let mut pointers = Vec::new();
    for (name, value) in settings.filter_map(|(name, schema)| Some((name, wrong_for(schema)?))) {
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        match subject.try_config(&subject.config_with(&[(name, value.clone())])) {
            Err(CallError::Stage(StageError::Config { pointer: told, .. })) if told.starts_with(&pointer) => pointers.push(pointer),
            Err(CallError::Stage(StageError::Config { pointer: told, message, .. })) => {
                return fails(format!("`{name}` = {value} is told at {told:?}, not at {pointer:?}: {message}"));
            }
            Err(error) => return Err(Finding::failed(format!("`{name}` = {value}"), &error)),
            Ok(()) => return fails(format!("`{name}` = {value} is taken, and its schema says otherwise")),
        }
    }
    if pointers.is_empty() {
        does_not_apply("its schema names no setting with a type")
    } else {
        Ok(format!("told at {}", pointers.join(", ")))
    }
}

/// Each setting that the schema requires, left out.
fn missing(subject: &Subject) -> Asked {
    let schema = description_schema(subject)?;
    let required = config::required(&schema);
    for name in &required {
        match subject.try_config(&subject.config_with(&[(name, Value::Null)])) {
            Err(CallError::Stage(StageError::Config { .. })) => {}
            Err(error) => return Err(Finding::failed(format!("without `{name}`"), &error)),
            Ok(()) => return fails(format!("`{name}` is required by its schema and not missed")),
        }
    }
    if required.is_empty() { does_not_apply("no setting is required") } else { Ok(required.join(", ")) }
}

fn unknown(subject: &Subject) -> Asked {
    match subject.try_config(&subject.config_with(&[("no_such_setting", json!(1))])) {
        Err(CallError::Stage(StageError::Config { pointer, message, .. })) if pointer == "/no_such_setting" => Ok(message),
        Err(CallError::Stage(StageError::Config { pointer, .. })) => fails(format!("told at {pointer:?}, not at \"/no_such_setting\"")),
        Err(error) => Err(Finding::failed("an unknown setting", &error)),
        Ok(()) => fails("it is taken: a typing error in a pipeline file goes unnoticed"),
    }
}

/// Objects of every odd form: any answer will do that is an answer.
fn odd_configurations(subject: &Subject) -> Asked {
    let deep = (0..60).fold(json!(1), |inner, _| json!({ "a": [inner] }));
    let long = "ä".repeat(100_000);
    let odd = [
        json!({}),
        json!({ "": "" }),
        json!({ "a\u{0}b": "\u{0}" }),
        json!({ "😀": "\u{1F600}\\\"\n" }),
        json!({ "deep": deep }),
        json!({ "long": long }),
        json!({ "n": [1e308, -1e308, 18_446_744_073_709_551_615u64, i64::MIN, 0.1] }),
    ];
    let mut odd: Vec<Value> = odd.into_iter().collect();
    let texts = subject.config().as_object().into_iter().flatten().filter(|(_, value)| value.is_string());
    odd.extend(texts.map(|(name, _)| subject.config_with(&[(name, json!("😀\u{0}\"\\ no such thing"))])));
    for config in &odd {
        match subject.try_config(config) {
            Ok(()) | Err(CallError::Stage(StageError::Config { .. } | StageError::Schema { .. })) => {}
            Err(error) => {
                let shown: String = config.to_string().chars().take(60).collect();
                return Err(Finding::failed(shown, &error));
            }
        }
    }
    Ok(format!("{} odd ones", odd.len()))
}
