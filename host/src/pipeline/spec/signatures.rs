//! `[signatures]`: who must have signed what a pipeline runs.

use std::path::PathBuf;

use super::{grants::normal, keys, table::Table};

/// Reads `[signatures]`: paths of public keys, made absolute.
pub(super) fn read(file: &Table) -> Vec<PathBuf> {
    let Some((key, table)) = file.get("signatures").map(|(key, _)| key).zip(file.table("signatures", keys::SIGNATURES.iter())) else {
        return Vec::new();
    };
    let missing = table.get("keys").is_none() && !table.is_misspelt("keys");
    let texts = table.texts("keys", "paths of public keys");
    let empty = texts.as_ref().filter(|(texts, _)| texts.is_empty()).map(|(_, span)| *span);
    // An empty list would look as if something were asked for, and ask for nothing.
    if let Some(span) = empty.or(missing.then(|| key.span().into())) {
        let diagnostic = file.scope.error("no-keys", span, "`[signatures]` names no key").label("expected `keys = [\"…\"]`");
        file.scope.complain(diagnostic.help("name a public key in PEM form, or leave `[signatures]` out"));
    }
    let (texts, _) = texts.unwrap_or_default();
    texts.iter().map(|text| normal(&file.scope.base.join(&text.value))).collect()
}
