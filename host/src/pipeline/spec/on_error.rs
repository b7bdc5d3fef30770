//! `on_error` of a stage, and `[dead_letters]`.

use toml::{Spanned, de::DeValue};

use super::{
    grants, keys,
    table::{Table, time},
};
use crate::{
    pipeline::policy::{DeadLetters, LEAST_BACKOFF, MOST_RETRIES, OnError, RETRIES, Then},
    words::stage::Kind,
};

/// Reads `on_error` of a stage of this kind.
pub(super) fn read(stage: &Table, kind: Kind) -> OnError {
    let Some((_, value)) = stage.get("on_error") else { return OnError::default() };
    let what = stage.title_of("on_error");
    match value.get_ref() {
        DeValue::String(_) => word(stage, kind, &what, value, keys::ON_ERROR_WORDS).unwrap_or_default(),
        DeValue::Table(_) => stage.table("on_error", keys::ON_ERROR.iter()).map(|table| read_table(&table, kind)).unwrap_or_default(),
        _ => {
            stage.scope.complain(stage.scope.wrong_type(&what, "one of \"fail\", \"retry\", \"dead-letter\", \"skip\", or a table", value));
            OnError::default()
        }
    }
}

fn read_table(table: &Table, kind: Kind) -> OnError {
    let default = OnError::default();
    let pause = |key: &str| table.get(key).and_then(|(_, value)| time(table.scope, &table.title_of(key), value, LEAST_BACKOFF));
    let backoff = pause("backoff").unwrap_or(default.backoff);
    let backoff_max = pause("backoff_max");
    if let (Some(most), Some((_, value))) = (backoff_max.filter(|most| *most < backoff), table.get("backoff_max")) {
        let message = format!("{} is less than `backoff`", table.title_of("backoff_max"));
        let diagnostic = table.scope.error("out-of-range", value.span().into(), message);
        table.scope.complain(diagnostic.label(format!("expected {backoff:?} or more, found {most:?}")));
    }
    let then =
        table.get("then").and_then(|(_, value)| word(table, kind, &table.title_of("then"), value, &Then::WORDS.map(|(word, _)| word)));
    OnError {
        retry: table.count("retry", 0, MOST_RETRIES).map_or(default.retry, |(count, _)| count as u32),
        backoff,
        backoff_max: backoff_max.unwrap_or(default.backoff_max.max(backoff)),
        then: then.map_or(default.then, |on_error| on_error.then),
        circuit: table.count("circuit", 1, keys::MAX_BATCHES).map_or(default.circuit, |(count, _)| count),
        bisect: table.count("bisect", 0, keys::MAX_BISECT).map_or(default.bisect, |(count, _)| count),
    }
}

/// A policy by its name.
fn word(table: &Table, kind: Kind, what: &str, value: &Spanned<DeValue>, known: &[&str]) -> Option<OnError> {
    let text = table.scope.word(what, value, ("unknown-policy", "policy"), known)?;
    if text.value == "retry" {
        return Some(OnError { retry: RETRIES, ..OnError::default() });
    }
    let then = Then::WORDS.into_iter().find(|(word, _)| *word == text.value).map_or(Then::Fail, |(_, then)| then);
    if kind == Kind::Extract && then != Then::Fail {
        let message = format!("{what}: an extract has no rows that could be set aside");
        let diagnostic = table.scope.error("misplaced-policy", text.span, message).label("expected \"fail\" or \"retry\"");
        let help = "a call of an extract that fails has brought no batch: it can only be made again, or end the run";
        table.scope.complain(diagnostic.help(help));
        return None;
    }
    Some(OnError { then, ..OnError::default() })
}

/// Reads `[dead_letters]`.
pub(super) fn dead_letters(file: &Table) -> DeadLetters {
    let default = DeadLetters::beside(file.scope.base);
    let Some(table) = file.table("dead_letters", keys::DEAD_LETTERS.iter()) else { return default };
    let folder = table.text("folder", "the path of a folder").and_then(|text| {
        if text.value.trim().is_empty() {
            let diagnostic = table.scope.error("bad-folder", text.span, format!("{} names nothing", table.title_of("folder")));
            table.scope.complain(diagnostic.label("expected the path of a folder"));
            return None;
        }
        Some(grants::normal(&file.scope.base.join(text.value)))
    });
    DeadLetters {
        folder: folder.unwrap_or(default.folder),
        rows: table.count("rows", 1, i64::MAX as u64).map_or(default.rows, |(count, _)| count),
        bytes: table.bytes("bytes").unwrap_or(default.bytes),
    }
}
