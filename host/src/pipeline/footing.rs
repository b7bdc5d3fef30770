//! What a checkpoint stands on: whether a pipeline file is still the one that its positions and states were taken of.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::spec::{Spec, StageSpec};
use crate::words::{delivery::Kept, digest::Digest, stage::Kind};

/// What a pipeline is like, as far as a resume is concerned. Configurations are kept as digests: secrets may be in them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footing {
    stages: Vec<StageFooting>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StageFooting {
    name: String,
    kind: String,
    component: String,
    inputs: Vec<String>,
    config: String,
}

// === impl Footing ===

impl Footing {
    /// Of a pipeline file.
    pub fn of(spec: &Spec) -> Self {
        let stage = |stage: &StageSpec| StageFooting {
            name: stage.name.clone(),
            kind: stage.kind.to_string(),
            component: stage.component.to_string(),
            inputs: stage.inputs.iter().map(|input| input.written.clone()).collect(),
            config: Digest::of(canonical(&stage.config).as_bytes()).to_string(),
        };
        let mut stages: Vec<_> = spec.stages.iter().map(stage).collect();
        stages.sort_by(|a, b| a.name.cmp(&b.name));
        Footing { stages }
    }

    /// As text, to be kept.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Why a pipeline cannot go on from a checkpoint that was taken of `then`; nothing when it can. Limits, grants, instances and the
    /// components' versions are free, and so is the configuration of a transform that remembers nothing.
    pub fn misfit(&self, then: &str, kept: &[Kept]) -> Option<String> {
        let Ok(then) = serde_json::from_str::<Footing>(then) else {
            return Some("it was taken by another version of parshall".to_owned());
        };
        let named = |stages: &[StageFooting], name: &str| stages.iter().find(|stage| stage.name == name).cloned();
        if let Some(gone) = then.stages.iter().find(|stage| named(&self.stages, &stage.name).is_none()) {
            return Some(format!("stage `{}` is gone", gone.name));
        }
        self.stages.iter().find_map(|now| {
            let name = &now.name;
            let Some(was) = named(&then.stages, name) else { return Some(format!("stage `{name}` is new")) };
            if was.kind != now.kind || was.inputs != now.inputs {
                return Some(format!("stage `{name}` is wired otherwise"));
            }
            let remembers = kept.iter().any(|kept| kept.stage == *name && kept.state.is_some());
            if now.kind == Kind::Transform.to_string() && !remembers {
                return None;
            }
            match (was.component != now.component, was.config != now.config) {
                (true, _) => Some(format!("stage `{name}` was `{}` and is `{}`", was.component, now.component)),
                (_, true) => Some(format!("stage `{name}` has another configuration")),
                _ => None,
            }
        })
    }
}

/// JSON in one way: keys in order.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<_> = map.keys().collect();
            keys.sort_unstable();
            let mut text = String::from("{");
            for key in keys {
                let _ = write!(text, "{}:{},", Value::from(key.as_str()), canonical(&map[key]));
            }
            text + "}"
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn footing(read: &str, filter: &str, more: &str) -> Footing {
        let text = format!(
            "[extract.a]\ncomponent = \"std:read\"\nconfig = {{ {read} }}\n[transform.t]\ncomponent = \"std:filter\"\ninputs = [\"a\"]\n\
             config = {{ where = \"{filter}\" }}\n[load.b]\ncomponent = \"std:write\"\ninputs = [\"t\"]\nconfig = {{ to = \"x/\" }}\n{more}"
        );
        let spec = Spec::parse("p.toml", Path::new("/"), &text, &|_| None);
        Footing::of(&spec.unwrap_or_else(|wrong| panic!("{wrong:?}")))
    }

    fn kept(stage: &str) -> Vec<Kept> {
        vec![Kept { stage: stage.into(), state: Some(vec![1]), ended: false }]
    }

    /// Protects a resume against positions and states that mean something else by now; and people against having to begin anew for a
    /// change that touches neither.
    #[test]
    fn what_is_remembered_must_still_mean_the_same() {
        let then = footing("path = \"x\", format = \"csv\"", "n > 1", "").text();
        let misfit = |now: Footing, kept: &[Kept]| now.misfit(&then, kept).unwrap_or_default();
        let same = footing("format = \"csv\", path = \"x\"", "n > 1", "");
        assert_eq!(misfit(same, &kept("a")), "", "keys in another order");
        let fixed = || footing("path = \"x\", format = \"csv\"", "n > 2", "");
        assert_eq!(misfit(fixed(), &kept("a")), "", "a transform that remembers nothing");
        assert_eq!(misfit(fixed(), &kept("t")), "stage `t` has another configuration");
        assert_eq!(misfit(footing("path = \"y\", format = \"csv\"", "n > 1", ""), &[]), "stage `a` has another configuration");
        let more = "[load.c]\ncomponent = \"std:write\"\ninputs = [\"a\"]\n";
        assert_eq!(misfit(footing("path = \"x\", format = \"csv\"", "n > 1", more), &[]), "stage `c` is new");
    }
}
