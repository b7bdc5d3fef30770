//! `parshall conformance`: asks a component everything that a good stage must do, and prints a report card.

use std::sync::Arc;

use comfy_table::{Table, TableStyle};
use serde_json::Value;

use super::{Exit, When, doing::Doing, exit, session};
use crate::{
    conformance::{self, Card, Role, Subject, Verdict, Weight},
    tables::NativeTables,
    words::{
        batch::RecordBatch,
        grants::{Grants, Place},
        stage::Component as _,
        tables::Tables as _,
    },
};

/// Arguments of `parshall conformance`.
#[derive(clap::Args)]
pub struct Arguments {
    /// `std:NAME`, or a path.
    #[arg(value_name = "COMPONENT")]
    component: String,
    /// The reference stage that it is; without it, the component's own name decides.
    #[arg(long = "as", value_name = "ROLE")]
    role: Option<RoleName>,
    /// Its configuration: JSON, or `@FILE`.
    #[arg(long, value_name = "JSON")]
    config: Option<String>,
    /// A table whose rows it is fed, in any format that std:read knows.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    input: Option<String>,
    /// What it may use: telemetry, state, clocks, random, read=PLACE, write=PLACE.
    #[arg(long, value_name = "GRANT")]
    grant: Vec<String>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
    /// Say on standard error what takes its time.
    #[arg(long, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    progress: When,
}

/// The roles whose meaning is known.
#[derive(Clone, Copy, clap::ValueEnum)]
enum RoleName {
    /// Multiplies a column by a factor.
    Scale,
    /// Counts and sums, by key.
    Total,
    /// Whatever it is.
    Any,
}

/// Asks and tells. A component that fails what it must is exit code 1.
pub fn conformance(arguments: &Arguments) -> Result<(), Exit> {
    let reference = session::reference(&arguments.component)?;
    let doing = Doing::quietly(arguments.progress, &format!("compiling {reference}"));
    let component = session::component(&session::catalog()?, &reference)?;
    drop(doing);
    let named = component.description().map_or(Role::Any, |description| Role::of(&description.name));
    let role = arguments.role.map_or(named, Role::from);
    let config = arguments.config.as_deref().map(config).transpose()?;
    let sample = arguments.input.as_deref().map(sample).transpose()?;
    let subject = Subject::new(Arc::new(component), role, config, sample, grants(&arguments.grant)?);
    let doing = Doing::quietly(arguments.progress, &format!("asking {reference}"));
    let card = conformance::examine(&subject);
    drop(doing);
    if arguments.json {
        exit::print(&(serde_json::to_string_pretty(&card.document()).map_err(anyhow::Error::from)? + "\n"))?;
    } else {
        exit::print(&text(&reference.to_string(), &card))?;
    }
    if !card.conforms() && arguments.input.is_none() && role == Role::Any {
        exit::tell(format_args!("  = help: a stage that wants columns of its own is asked with rows that have them: --input FILE"));
    }
    if card.conforms() { Ok(()) } else { Err(Exit::Failed) }
}

// === impl RoleName ===

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Scale => Role::Scale,
            RoleName::Total => Role::Total,
            RoleName::Any => Role::Any,
        }
    }
}

fn config(text: &str) -> Result<Value, Exit> {
    let read = text.strip_prefix('@').map(|file| std::fs::read_to_string(file).map_err(|error| Exit::Wrong(format!("{file}: {error}"))));
    let text = read.transpose()?.unwrap_or_else(|| text.to_owned());
    match serde_json::from_str(&text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(Exit::Wrong("--config is to be a JSON object".into())),
        Err(error) => Err(Exit::Wrong(format!("--config is not JSON: {error}"))),
    }
}

/// The first batch of a table.
fn sample(location: &str) -> Result<RecordBatch, Exit> {
    let base = std::env::current_dir().map_err(anyhow::Error::from)?;
    let everything = Place::Path("/".into());
    let grants = Grants { read: vec![everything], base, ..Grants::default() };
    let read = || {
        let mut reader = NativeTables::default().reader(&grants, location, "{}")?;
        let schema = reader.schema();
        Ok::<_, crate::words::tables::TableError>(reader.next()?.unwrap_or_else(|| RecordBatch::new_empty(schema)))
    };
    read().map_err(|error| Exit::Wrong(format!("--input {location}: {error}")))
}

fn grants(words: &[String]) -> Result<Grants, Exit> {
    let base = std::env::current_dir().map_err(anyhow::Error::from)?;
    let mut grants = Grants { base: base.clone(), ..Grants::default() };
    for word in words {
        match word.split_once('=') {
            None if word == "telemetry" => grants.telemetry = true,
            None if word == "state" => grants.state = true,
            None if word == "clocks" => grants.clocks = true,
            None if word == "random" => grants.random = true,
            Some(("read", place)) => grants.read.push(Place::Path(base.join(place))),
            Some(("write", place)) => grants.write.push(Place::Path(base.join(place))),
            _ => {
                let known = "telemetry, state, clocks, random, read=PLACE, write=PLACE";
                return Err(Exit::Wrong(format!("there is no grant `{word}`; there are {known}")));
            }
        }
    }
    Ok(grants)
}

fn text(reference: &str, card: &Card) -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new());
    for line in &card.lines {
        let mark = match line.verdict {
            Verdict::Pass(_) => "✓",
            Verdict::Fail(_) => "✗",
            Verdict::NotApplicable(_) => "–",
        };
        let weight = match line.weight {
            Weight::Must => "must",
            Weight::Should => "should",
        };
        table.add_row([mark, weight, line.name, &printable(line.verdict.said())]);
    }
    let role = if card.role == "any" { String::new() } else { format!(", as `{}`", card.role) };
    let ending = if card.conforms() { "conforms" } else { "DOES NOT CONFORM" };
    format!(
        "{reference}: {} ({}){role}\n{}\n{} passed, {} failed, {} not applicable: it {ending}\n",
        card.component,
        card.kind,
        table.lines().map(|line| line.trim_end().to_owned() + "\n").collect::<String>().trim_end_matches('\n'),
        card.count("pass"),
        card.count("fail"),
        card.count("not_applicable"),
    )
}

/// A guest's words on one line, without what a terminal would obey.
fn printable(said: &str) -> String {
    let visible = said.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
    let mut text: String = visible.take(200).collect();
    if said.chars().count() > 200 {
        text.push('…');
    }
    text
}
