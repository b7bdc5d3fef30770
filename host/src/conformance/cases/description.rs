//! What a component says of itself, and what it wants of the host.

use super::{Case, must, should};
use crate::{
    conformance::{
        card::{Asked, Finding, fails},
        config,
        subject::Subject,
    },
    words::wasi,
};

pub const CASES: &[Case] = &[
    must("describes itself", describes),
    must("its configuration has a JSON Schema", config_schema),
    should("needs no grant", needs_no_grant),
];

/// A component is usually built for a name of a few words.
const LONGEST_NAME: usize = 64;

fn describes(subject: &Subject) -> Asked {
    let said = subject.component().description().map_err(|error| Finding::failed("`describe` fails", &error))?;
    let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if said.name.is_empty() || said.name.len() > LONGEST_NAME || !said.name.chars().all(kebab) {
        return fails(format!("the name {:?} is not kebab-case of at most {LONGEST_NAME} characters", said.name));
    }
    if said.version.trim().is_empty() {
        return fails("the version is empty");
    }
    if said.summary.trim().is_empty() || said.summary.contains('\n') {
        return fails(format!("the summary {:?} is not one line", said.summary));
    }
    Ok(format!("{} {}, {}", said.name, said.version, if said.stateful { "with state" } else { "stateless" }))
}

fn config_schema(subject: &Subject) -> Asked {
    let said = subject.component().description().map_err(|error| Finding::failed("`describe` fails", &error))?;
    if let Some(complaint) = config::complaint(&said.config_schema) {
        return fails(complaint);
    }
    if said.config_schema.get("type").and_then(|value| value.as_str()) != Some("object") {
        return fails("it does not say `\"type\": \"object\"`, and a configuration is always an object");
    }
    Ok(match config::properties(&said.config_schema).map_or(0, serde_json::Map::len) {
        0 => "no setting".into(),
        1 => "1 setting".into(),
        settings => format!("{settings} settings"),
    })
}

fn needs_no_grant(subject: &Subject) -> Asked {
    let imports = subject.component().imports();
    let free = |import: &&String| {
        import.contains("/frames@") || import.contains("/types@") || wasi::need(import).is_some_and(|need| need == wasi::Need::Nothing)
    };
    let (free, granted): (Vec<_>, Vec<_>) = imports.iter().partition(free);
    if !granted.is_empty() {
        return fails(format!("imports {}", granted.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ")));
    }
    let wasi = free.iter().filter(|import| import.starts_with("wasi:")).count();
    Ok(if wasi == 0 { "no WASI".into() } else { format!("{wasi} interfaces of WASI that need no grant") })
}
