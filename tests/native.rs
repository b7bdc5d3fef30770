//! Components of a test's own, in the host: what they do when they are open is what makes them different.

use std::sync::Arc;

use parshall::words::{
    call::{Call, CallError},
    digest::Digest,
    stage::{Component, Description, Extract, Kind, Load, Opening, Port, Transform},
    usage::Usage,
};

type Open<T> = Box<dyn Fn(&Opening) -> Call<T> + Send + Sync>;

/// A component by its name, which has any configuration and remembers nothing.
struct Native {
    name: &'static str,
    opens: Opens,
}

enum Opens {
    Extract(Open<(Box<dyn Extract>, Vec<Port>)>),
    Load(Open<Box<dyn Load>>),
}

/// A call that went well, over so many rows.
pub fn done<T>(value: T, rows: u64) -> Call<T> {
    Call { outcome: Ok(value), usage: Usage { rows_in: rows, rows_out: rows, rows_kept: rows, fuel_exact: true, ..Usage::default() } }
}

/// An extract that opens so.
pub fn extract(
    name: &'static str,
    open: impl Fn(&Opening) -> Call<(Box<dyn Extract>, Vec<Port>)> + Send + Sync + 'static,
) -> Arc<dyn Component> {
    Arc::new(Native { name, opens: Opens::Extract(Box::new(open)) })
}

/// A load that opens so.
pub fn load(name: &'static str, open: impl Fn(&Opening) -> Call<Box<dyn Load>> + Send + Sync + 'static) -> Arc<dyn Component> {
    Arc::new(Native { name, opens: Opens::Load(Box::new(open)) })
}

impl Component for Native {
    fn kind(&self) -> Kind {
        match self.opens {
            Opens::Extract(_) => Kind::Extract,
            Opens::Load(_) => Kind::Load,
        }
    }

    fn digest(&self) -> Digest {
        Digest::of(self.name.as_bytes())
    }

    fn description(&self) -> Result<Arc<Description>, CallError> {
        let text = || self.name.to_owned();
        let config_schema = serde_json::json!({"type": "object"});
        Ok(Arc::new(Description { name: text(), version: text(), summary: text(), documentation: text(), config_schema, stateful: false }))
    }

    fn imports(&self) -> Vec<String> {
        Vec::new()
    }

    fn open_extract(&self, opening: &Opening) -> Call<(Box<dyn Extract>, Vec<Port>)> {
        let Opens::Extract(open) = &self.opens else { unreachable!("`{}` is no extract", self.name) };
        open(opening)
    }

    fn open_transform(&self, _: &Opening) -> Call<(Box<dyn Transform>, Vec<Port>)> {
        unreachable!("`{}` is no transform", self.name)
    }

    fn open_load(&self, opening: &Opening) -> Call<Box<dyn Load>> {
        let Opens::Load(open) = &self.opens else { unreachable!("`{}` is no load", self.name) };
        open(opening)
    }
}
