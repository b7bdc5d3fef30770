//! Whether a component fits its stage: its kind, what it imports, how many instances of it may be.

use crate::{
    pipeline::{
        diagnostic::Diagnostic,
        source::Span,
        spec::{Spec, StageSpec},
    },
    words::{
        grants::Grants,
        limits::{Limits, Metering},
        stage::{Component, Kind},
        wasi,
    },
};

/// The package of the contract.
const PACKAGE: &str = "parshall:stage";
/// The versions of it that this host speaks.
const VERSION: &str = "0.1.";
/// Interfaces of it that need no grant.
const ALWAYS: [&str; 2] = ["types", "frames"];

/// Checks a component against its stage; answers whether it may be opened.
pub(super) fn check(spec: &Spec, stage: &StageSpec, component: &dyn Component, diagnostics: &mut Vec<Diagnostic>) -> bool {
    let before = diagnostics.len();
    if component.kind() != stage.kind {
        diagnostics.push(wrong_kind(spec, stage, component.kind()));
        // What it may import and how it is opened would be judged by the wrong measure.
        return false;
    }
    diagnostics.extend(imports(spec, stage, &component.imports()));
    diagnostics.extend(instances(spec, stage, component));
    diagnostics.extend(sampled(spec, stage, component));
    diagnostics.extend(successors(spec, stage, component));
    diagnostics.len() == before
}

fn article(kind: Kind) -> &'static str {
    match kind {
        Kind::Extract => "an extract",
        Kind::Transform => "a transform",
        Kind::Load => "a load",
    }
}

fn wrong_kind(spec: &Spec, stage: &StageSpec, kind: Kind) -> Diagnostic {
    let message = format!("`{}` is {}, but stands under [{}]", stage.component, article(kind), stage.kind);
    Diagnostic::at("wrong-kind", &spec.source, stage.places.component, message)
        .label(format!("expected {}", article(stage.kind)))
        .help(format!("write `[{kind}.{}]`, or another component", stage.name))
}

/// Complains about imports that are not granted, one by one, and about those that nobody could grant, all together.
fn imports(spec: &Spec, stage: &StageSpec, imports: &[String]) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut unknown: Vec<&str> = Vec::new();
    // Both clocks need `clocks`: one complaint is enough.
    let mut told: Vec<&str> = Vec::new();
    for import in imports {
        if let Some(need) = wasi::need(import) {
            match need.grant() {
                _ if need.is_met(&stage.grants) => {}
                Some(grant) if told.contains(&grant) => {}
                Some(grant) => {
                    told.push(grant);
                    diagnostics.push(ungranted(spec, stage, import, grant));
                }
                None => unknown.push(import),
            }
            continue;
        }
        match interface(import) {
            Some(name) if ALWAYS.contains(&name) => {}
            Some(name) => match granted(name, &stage.grants) {
                Some(true) => {}
                Some(false) => diagnostics.push(ungranted(spec, stage, name, &contract_grant(name, stage.kind))),
                None => unknown.push(import),
            },
            None => unknown.push(import),
        }
    }
    if !unknown.is_empty() {
        diagnostics.push(unknown_imports(spec, stage, &unknown));
    }
    diagnostics
}

/// The interface of the contract that an import names, if it is one of a version that this host speaks.
fn interface(import: &str) -> Option<&str> {
    let rest = import.strip_prefix(PACKAGE)?.strip_prefix('/')?;
    match rest.split_once('@') {
        Some((name, version)) => version.starts_with(VERSION).then_some(name),
        None => Some(rest),
    }
}

/// Whether an interface is granted; nothing for one that does not exist.
fn granted(interface: &str, grants: &Grants) -> Option<bool> {
    match interface {
        "tables" => Some(!grants.read.is_empty() || !grants.write.is_empty()),
        "telemetry" => Some(grants.telemetry),
        "state" => Some(grants.state),
        _ => None,
    }
}

/// What grants an interface of the contract.
fn contract_grant(interface: &str, kind: Kind) -> String {
    match (interface, kind) {
        ("tables", Kind::Load) => "write = [\"…\"]".to_owned(),
        ("tables", _) => "read = [\"…\"]".to_owned(),
        (other, _) => format!("{other} = true"),
    }
}

fn ungranted(spec: &Spec, stage: &StageSpec, interface: &str, grant: &str) -> Diagnostic {
    let (span, help): (Span, _) = match stage.places.grants {
        Some(span) => (span, format!("add `{grant}` to the grants")),
        None => (stage.places.component, format!("add `grants = {{ {grant} }}`")),
    };
    let message = format!("`{}` needs `{interface}`, which {} is not granted", stage.component, stage.title());
    Diagnostic::at("ungranted-import", &spec.source, span, message).label(format!("nothing here grants `{interface}`")).help(help)
}

fn unknown_imports(spec: &Spec, stage: &StageSpec, imports: &[&str]) -> Diagnostic {
    let listed: Vec<String> = imports.iter().map(|import| format!("`{import}`")).collect();
    let message = format!("`{}` imports what this host does not have", stage.component);
    Diagnostic::at("unknown-import", &spec.source, stage.places.component, message).label(format!("imports {}", listed.join(", "))).help(
        format!(
            "a component may import `tables`, `telemetry` and `state` of `{PACKAGE}@{VERSION}x`, and of WASI 0.2 `io`, `cli`, `clocks`, \
             `random`, `filesystem` (without folders) and outgoing `http`"
        ),
    )
}

/// Several instances only of a component that says it remembers nothing.
fn instances(spec: &Spec, stage: &StageSpec, component: &dyn Component) -> Option<Diagnostic> {
    let span = stage.places.instances.filter(|_| stage.instances > 1)?;
    let diagnostic = |code, message: String| Diagnostic::at(code, &spec.source, span, message);
    match component.description() {
        Ok(description) if !description.stateful => None,
        Ok(_) => Some(
            diagnostic("stateful-instances", format!("`{}` cannot run in {} instances", stage.component, stage.instances))
                .label("expected 1: it remembers something between batches")
                .help("each instance would see a part of the data only; leave `instances` out"),
        ),
        Err(error) => Some(diagnostic(error.reason(), format!("`{}` does not say whether it is stateful: {error}", stage.component))),
    }
}

/// Calls are sampled, by word of the stage itself, only of a component that says it remembers nothing.
fn sampled(spec: &Spec, stage: &StageSpec, component: &dyn Component) -> Option<Diagnostic> {
    let span = stage.places.metering.filter(|_| matches!(stage.limits.metering, Metering::Sampled(_)))?;
    component.remembers().then(|| {
        Diagnostic::at("stateful-sampled", &spec.source, span, format!("calls of `{}` cannot be sampled", stage.component))
            .label("expected \"fuel\" or \"epoch\": it remembers something between batches")
            .help("each of the two instances would see a part of the data only")
    })
}

/// What an instance of the stage may use: where sampling is inherited by whoever remembers something, every call is counted.
pub(super) fn limits(stage: &StageSpec, component: &dyn Component) -> Limits {
    let metering = match stage.limits.metering {
        Metering::Sampled(_) if component.remembers() => Metering::Fuel,
        metering => metering,
    };
    Limits { metering, ..stage.limits.clone() }
}

/// Whether an instance keeps keys and values beside it, which another instance would not have.
pub(super) fn keeps_beside(stage: &StageSpec, component: &dyn Component) -> bool {
    stage.grants.state && component.imports().iter().any(|import| interface(import) == Some("state"))
}

/// A policy under which an instance is followed by another only where nothing is lost with the first.
fn successors(spec: &Spec, stage: &StageSpec, component: &dyn Component) -> Option<Diagnostic> {
    if stage.kind == Kind::Load || !keeps_beside(stage, component) {
        return None;
    }
    let (key, span) = match (stage.places.on_error.filter(|_| stage.on_error.acts()), stage.places.recycle) {
        (Some(span), _) => ("on_error", span),
        (None, Some(span)) => ("recycle", span),
        (None, None) => return None,
    };
    let message = format!("`{key}` in {} would lose what `{}` keeps by the grant `state`", stage.title(), stage.component);
    let diagnostic = Diagnostic::at("lost-state", &spec.source, span, message).label("another instance would not have it");
    Some(diagnostic.help("leave it out, or use a component that answers all that it remembers by `snapshot`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_contract_of_this_version_is_known() {
        assert_eq!(interface("parshall:stage/tables@0.1.0"), Some("tables"));
        assert_eq!(interface("parshall:stage/tables@0.1.7"), Some("tables"));
        assert_eq!(interface("parshall:stage/tables"), Some("tables"));
        assert_eq!(interface("parshall:stage/tables@0.2.0"), None);
        assert_eq!(interface("parshall:stages/tables@0.1.0"), None);
        assert_eq!(interface("wasi:io/streams@0.2.6"), None);
    }
}
