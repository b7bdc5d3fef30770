//! All stages of a file: where they are, what they are called, and what they inherit.

use toml::{
    Spanned,
    de::{DeString, DeTable},
};

use super::{
    keys, limits, metering,
    scope::Scope,
    stage::{self, Defaults, StageSpec},
    table::{Entry, Table, in_order},
};
use crate::words::{limits::Limits, stage::Kind};

/// All stages of all kinds, in the order in which they are written.
pub(super) fn read(file: &Table) -> Vec<StageSpec> {
    let defaults = defaults(file);
    let mut stages: Vec<StageSpec> = Vec::new();
    for (kind, (key, value)) in entries(file) {
        check_name(file.scope, kind, key, &stages);
        match value.get_ref().as_table() {
            Some(entries) => stages.extend(stage::read(file.scope, kind, key, entries, &defaults)),
            None => {
                let message = format!("`{}` in [{kind}] is not a stage", key.get_ref());
                let diagnostic = file.scope.error("wrong-type", key.span().into(), message).label("expected a table");
                file.scope.complain(diagnostic.help(format!("write `[{kind}.NAME]` and the stage's keys below it")));
            }
        }
    }
    stages
}

/// Every stage's kind, name and table, in the order in which they are written.
fn entries<'a>(file: &Table<'a>) -> Vec<(Kind, Entry<'a>)> {
    let mut found: Vec<(Kind, Entry<'a>)> = Vec::new();
    for (key, kind) in keys::FILE.iter().filter_map(|key| match key.shape {
        keys::Shape::Stages(kind) => Some((key.name, kind)),
        _ => None,
    }) {
        let Some((_, value)) = file.get(key) else { continue };
        match value.get_ref().as_table() {
            Some(stages) if is_nameless(stages) => report_nameless(file.scope, kind, stages),
            Some(stages) => found.extend(in_order(stages).into_iter().map(|entry| (kind, entry))),
            None => {
                let diagnostic = file.scope.wrong_type(&file.title_of(key), "tables of stages", value);
                file.scope.complain(diagnostic.help(format!("write `[{key}.NAME]` and the stage's keys below it")));
            }
        }
    }
    found.sort_by_key(|(_, (key, _))| key.span().start);
    if let Some((_, (key, _))) = found.get(keys::MAX_STAGES) {
        let message = format!("more than {} stages", keys::MAX_STAGES);
        let diagnostic = file.scope.error("too-many-stages", key.span().into(), message);
        file.scope.complain(diagnostic.label("the first one too many"));
        found.truncate(keys::MAX_STAGES);
    }
    found
}

/// Whether a stage's keys stand straight below `[load]`, where its name should come first.
fn is_nameless(stages: &DeTable) -> bool {
    stages.iter().any(|(key, value)| !value.get_ref().is_table() && keys::STAGE.iter().any(|known| known.name == key.get_ref()))
}

fn report_nameless(scope: &Scope, kind: Kind, stages: &DeTable) {
    if let Some((key, _)) = in_order(stages).first() {
        let diagnostic = scope.error("nameless-stage", key.span().into(), format!("the stage below [{kind}] has no name"));
        scope.complain(diagnostic.label("expected the name of a stage").help(format!("write `[{kind}.NAME]` above it")));
    }
}

fn defaults(file: &Table) -> Defaults {
    let table = file.table("defaults", keys::DEFAULTS.iter());
    let limits = table.as_ref().and_then(|table| table.table("limits", limits::LIMITS.iter().map(|limit| &limit.key)));
    Defaults {
        metering: table.as_ref().map(metering::defaults).unwrap_or_default(),
        limits: limits.map_or_else(Limits::default, |table| limits::read(&table, Limits::default())),
        queue: table.and_then(|table| table.bytes("queue")).unwrap_or(keys::DEFAULT_QUEUE),
    }
}

fn check_name(scope: &Scope, kind: Kind, key: &Spanned<DeString>, before: &[StageSpec]) {
    let name = key.get_ref().as_ref();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(plain) {
        let fitting = name.to_lowercase().replace(|c| !plain(c), "_");
        let fitting = fitting.trim_start_matches(|c: char| !c.is_ascii_lowercase());
        let diagnostic = scope
            .error("bad-name", key.span().into(), format!("`{name}` cannot be the name of a stage"))
            .label("expected a lower-case letter, then lower-case letters, digits, `_` and `-`");
        scope.complain(diagnostic.help_if((!fitting.is_empty()).then(|| format!("write `[{kind}.{fitting}]`"))));
    }
    if let Some(first) = before.iter().find(|stage| stage.name == name) {
        let diagnostic = scope.error("duplicate-stage", key.span().into(), format!("there are two stages called `{name}`"));
        let diagnostic = diagnostic.label("names are unique across extracts, transforms and loads");
        scope.complain(diagnostic.note(format!("the first is {} at {}", first.title(), scope.source.pointer(first.places.name))));
    }
}
