//! `grants = { … }`: locations made absolute and normalised, hosts taken apart, so that whoever opens them compares and
//! nothing more.

use std::path::{Component, Path, PathBuf};

use super::{scope::Scope, table::Table, text::Text};
use crate::{
    pipeline::plan::ComponentRef,
    words::{
        authority::{Authority, NotAnAuthority},
        grants::{Grants, Place},
        tables::GENERATOR,
    },
};

/// Reads the grants of a stage.
pub(super) fn read(table: &Table) -> Grants {
    Grants {
        read: places(table, "read"),
        write: places(table, "write"),
        telemetry: table.flag("telemetry").unwrap_or(false),
        state: table.flag("state").unwrap_or(false),
        clocks: table.flag("clocks").unwrap_or(false),
        random: table.flag("random").unwrap_or(false),
        environment: variables(table),
        http: hosts(table),
        base: table.scope.base.to_owned(),
    }
}

/// What a standard stage is granted without a word in the file: `std:generate` the host's generator, which makes rows out of
/// numbers and reaches nothing outside. A component of somebody else's must be granted it by name.
pub(super) fn implied(component: &ComponentRef) -> Option<Place> {
    let generates = matches!(component, ComponentRef::Std(name) if name == "generate");
    generates.then(|| Place::Url(GENERATOR.to_owned()))
}

fn places(table: &Table, key: &str) -> Vec<Place> {
    let (texts, _) = table.texts(key, "paths or URLs").unwrap_or_default();
    texts.iter().filter_map(|text| place(table.scope, text)).collect()
}

fn variables(table: &Table) -> Vec<String> {
    let (texts, _) = table.texts("environment", "names of environment variables").unwrap_or_default();
    let usable = |text: &Text| {
        let usable = !text.value.is_empty() && !text.value.contains(['=', '\0', '*', '?']);
        if !usable {
            let diagnostic = table.scope.error("bad-grant", text.span, "this is no name of an environment variable");
            let diagnostic = diagnostic.label("expected a name, exactly as it is set");
            table.scope.complain(match text.value.split_once('=') {
                Some((name, _)) if !name.is_empty() => diagnostic.help(format!("write `\"{name}\"`: its value is the host's")),
                _ => diagnostic.help("name each variable by itself"),
            });
        }
        usable
    };
    texts.into_iter().filter(usable).map(|text| text.value).collect()
}

fn hosts(table: &Table) -> Vec<Authority> {
    let (texts, _) = table.texts("http", "hosts").unwrap_or_default();
    let host = |text: &Text| {
        let told = |wrong: &NotAnAuthority| {
            let diagnostic = table.scope.error("bad-grant", text.span, wrong.message).label("expected `host` or `host:port`");
            table.scope.complain(diagnostic.help(wrong.help.clone()));
        };
        Authority::parse(&text.value).inspect_err(told).ok()
    };
    texts.iter().filter_map(host).collect()
}

fn place(scope: &Scope, text: &Text) -> Option<Place> {
    let written = text.value.as_str();
    if written.contains("://") || written == GENERATOR {
        return Some(Place::Url(written.to_owned()));
    }
    match mistake(written) {
        Some((message, help)) => {
            let diagnostic = scope.error("bad-grant", text.span, message).label("expected a path or a URL");
            scope.complain(diagnostic.help(help));
            None
        }
        None => Some(Place::Path(normal(&scope.base.join(written)))),
    }
}

/// What looks like a path and would grant nothing, or something else than was meant.
fn mistake(written: &str) -> Option<(&'static str, String)> {
    if written.is_empty() {
        return Some(("an empty path grants nothing", "write `\".\"` for the folder of this file".to_owned()));
    }
    if let Some(path) = written.strip_prefix("sqlite:") {
        return Some(("a grant is a place, not a format", format!("grant the file: `\"{path}\"`")));
    }
    if written.contains(['*', '?']) {
        let folder = written.rsplit_once('/').map(|(folder, _)| folder).filter(|folder| !folder.contains(['*', '?']));
        return Some(("a grant has no wildcards", format!("grant the folder: `\"{}/\"`", folder.unwrap_or("."))));
    }
    let rest = written.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
    Some(("`~` is for shells to fill in", format!("write `\"${{HOME}}{rest}\"`")))
}

/// A path without `.` and `..`, by its text alone: links are for whoever opens it to follow.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            // Above the root there is only the root.
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised_by_their_text() {
        assert_eq!(normal(Path::new("/a/./b/../c/")), Path::new("/a/c"));
        assert_eq!(normal(Path::new("/a/../../b")), Path::new("/b"));
    }

    #[test]
    fn mistakes_are_told_with_what_to_write() {
        assert_eq!(mistake("data/*.csv").unwrap().1, "grant the folder: `\"data/\"`");
        assert_eq!(mistake("sqlite:out/x.db").unwrap().1, "grant the file: `\"out/x.db\"`");
        assert_eq!(mistake("~/data").unwrap().1, "write `\"${HOME}/data\"`");
        assert_eq!(mistake("data/"), None);
        assert_eq!(mistake("../~x"), None);
    }
}
