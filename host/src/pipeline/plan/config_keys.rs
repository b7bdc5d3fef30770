//! Keys that a component's configuration does not have, by the JSON Schema that the component carries.
//!
//! Asked only after `open` refused the configuration: the component has the last word on what it accepts, and a
//! pipeline without mistakes pays nothing. Follows `properties`, `items`, `additionalProperties` and `$ref`; where a
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

/// A complaint for every key that is not known.
pub(super) fn unknown(spec: &Spec, stage: &StageSpec, component: &dyn Component) -> Vec<Diagnostic> {
    let Ok(description) = component.description() else {
        return Vec::new();
    };
    let mut walk = Walk { spec, stage, root: &description.config_schema, found: Vec::new() };
    walk.value(&description.config_schema, &stage.config, "", DEPTH);
    walk.found
}

struct Walk<'a> {
    spec: &'a Spec,
    stage: &'a StageSpec,
    root: &'a Value,
    found: Vec<Diagnostic>,
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
                for (key, value) in object {
                    let pointer = format!("{pointer}/{}", step(key));
                    match (known.and_then(|known| known.get(key)), schema.get("additionalProperties")) {
                        (Some(property), _) => self.value(property, value, &pointer, depth),
                        (None, Some(Value::Bool(false))) => self.report(key, &pointer, known),
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

    fn report(&mut self, key: &str, pointer: &str, known: Option<&serde_json::Map<String, Value>>) {
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
        self.found.push(diagnostic);
    }
}
