//! Keys that a component's configuration does not have, and keys that it must have, by the JSON Schema that the
//! component carries.
//!
//! Asked only after `open` refused the configuration: the component has the last word on what it accepts, and a
//! pipeline without mistakes pays nothing. Follows `properties`, `required`, `items`, `additionalProperties` and `$ref`; where a
//! schema says more than that, nothing is claimed.

use serde_json::Value;

use crate::{
    pipeline::{
        diagnostic::{Diagnostic, nearest},
        spec::{Spec, StageSpec, config::step},
    },
    words::stage::Component,
};

/// Schemas nest no deeper than this here; one that refers to itself ends.
const DEPTH: usize = 32;

/// A complaint for every key that is not known; if all are, for every key that is missing. (A missing key is mostly one
/// that was misspelt.)
pub(super) fn complaints(spec: &Spec, stage: &StageSpec, component: &dyn Component) -> Vec<Diagnostic> {
    let Ok(description) = component.description() else {
        return Vec::new();
    };
    let mut walk = Walk { spec, stage, root: &description.config_schema, unknown: Vec::new(), missing: Vec::new() };
    walk.value(&description.config_schema, &stage.config, "", DEPTH);
    if walk.unknown.is_empty() { walk.missing } else { walk.unknown }
}

struct Walk<'a> {
    spec: &'a Spec,
    stage: &'a StageSpec,
    root: &'a Value,
    unknown: Vec<Diagnostic>,
    missing: Vec<Diagnostic>,
}

impl Walk<'_> {
    fn value(&mut self, schema: &Value, value: &Value, pointer: &str, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#'));
        if let Some(target) = target.and_then(|target| self.root.pointer(target)) {
            self.value(target, value, pointer, depth);
        }
        match value {
            Value::Object(object) => {
                let known = schema.get("properties").and_then(Value::as_object);
                let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
                for key in required.filter(|key| !object.contains_key(*key)) {
                    self.report_missing(key, pointer, known.and_then(|known| known.get(key)));
                }
                for (key, value) in object {
                    let pointer = format!("{pointer}/{}", step(key));
                    match (known.and_then(|known| known.get(key)), schema.get("additionalProperties")) {
                        (Some(property), _) => self.value(property, value, &pointer, depth),
                        (None, Some(Value::Bool(false))) => self.report_unknown(key, &pointer, known),
                        (None, Some(others)) => self.value(others, value, &pointer, depth),
                        (None, None) => {}
                    }
                }
            }
            Value::Array(elements) => {
                let Some(items) = schema.get("items") else { return };
                for (at, element) in elements.iter().enumerate() {
                    self.value(items, element, &format!("{pointer}/{at}"), depth);
                }
            }
            _ => {}
        }
    }

    fn report_unknown(&mut self, key: &str, pointer: &str, known: Option<&serde_json::Map<String, Value>>) {
        let place = self.stage.places.config.find(pointer);
        let span = place.map_or(self.stage.places.name, |place| place.key.unwrap_or(place.value));
        let names = || known.into_iter().flat_map(|known| known.keys().map(String::as_str));
        let message = format!("unknown key `{key}` in the configuration of `{}`", self.stage.component);
        let diagnostic = Diagnostic::at("unknown-config-key", &self.spec.source, span, message)
            .label(match names().next() {
                Some(_) => format!("expected one of: {}", names().collect::<Vec<_>>().join(", ")),
                None => "expected no keys".to_owned(),
            })
            .nearest(nearest(key, names()));
        self.unknown.push(diagnostic);
    }

    fn report_missing(&mut self, key: &str, pointer: &str, property: Option<&Value>) {
        let places = &self.stage.places;
        let whole = pointer.is_empty().then_some(places.name);
        let Some(span) = places.config.find(pointer).map(|place| place.value).or(whole) else { return };
        let message = format!("`{key}` is missing in the configuration of `{}`", self.stage.component);
        let described = property.and_then(|property| property.get("description")).and_then(Value::as_str);
        let label = match places.config.find("") {
            None => "this stage has no `config`".to_owned(),
            Some(_) => format!("expected a key `{key}` here"),
        };
        let diagnostic = Diagnostic::at("missing-config-key", &self.spec.source, span, message).label(label);
        self.missing.push(diagnostic.help_if(described.map(|text| format!("`{key}`: {text}"))));
    }
}
