//! `metering` and `metering_every`.

use super::{keys, table::Table, text::Text};
use crate::{
    pipeline::source::Span,
    words::{limits::Metering, stage::Kind},
};

/// What stages inherit.
#[derive(Clone, Copy, Debug)]
pub struct Inherited {
    pub metering: Metering,
    /// Of so many calls one is counted, where they are sampled.
    pub every: u32,
}

impl Default for Inherited {
    fn default() -> Self {
        Inherited { metering: Metering::Fuel, every: keys::DEFAULT_METERING_EVERY }
    }
}

/// Reads what `[defaults]` says.
pub(super) fn defaults(table: &Table) -> Inherited {
    let every = every(table).map_or(keys::DEFAULT_METERING_EVERY, |(every, _)| every);
    Inherited { metering: written(table, every).map_or(Metering::Fuel, |(metering, _)| metering), every }
}

/// Reads what a stage says, over what it inherits. Only transforms can be sampled: the others inherit that every call is counted.
pub(super) fn of_stage(table: &Table, kind: Kind, inherited: Inherited) -> Metering {
    let every_written = every(table);
    let every = every_written.as_ref().map_or(inherited.every, |(every, _)| *every);
    let metering = match (written(table, every), inherited.metering) {
        (Some((Metering::Sampled(_), text)), _) if kind != Kind::Transform => {
            let message = format!("{}: {kind}s cannot be sampled", table.title_of("metering"));
            let diagnostic = table.scope.error("misplaced-metering", text.span, message).label("expected \"fuel\" or \"epoch\"");
            let help = "calls are sampled over two instances, and where an extract is, or what a load has taken, is in one of them";
            table.scope.complain(diagnostic.help(help));
            return Metering::Fuel;
        }
        (Some((metering, _)), _) => metering,
        (None, Metering::Sampled(_)) if kind != Kind::Transform => Metering::Fuel,
        (None, Metering::Sampled(_)) => Metering::Sampled(every),
        (None, metering) => metering,
    };
    if let (Some((_, span)), Metering::Fuel | Metering::Epoch) = (every_written, metering) {
        let message = format!("{} says how calls are sampled, and they are not", table.title_of("metering_every"));
        let diagnostic = table.scope.error("useless-setting", span, message).label("nothing asks for it");
        table.scope.complain(diagnostic.help("write `metering = \"sampled\"`, or leave it out"));
    }
    metering
}

fn every(table: &Table) -> Option<(u32, Span)> {
    table.count("metering_every", 2, keys::MAX_METERING_EVERY).map(|(every, span)| (every as u32, span))
}

fn written(table: &Table, every: u32) -> Option<(Metering, Text)> {
    let (_, value) = table.get("metering")?;
    let text = table.scope.word(&table.title_of("metering"), value, ("unknown-metering", "metering"), keys::METERINGS)?;
    let metering = match text.value.as_str() {
        "epoch" => Metering::Epoch,
        "sampled" => Metering::Sampled(every),
        _ => Metering::Fuel,
    };
    Some((metering, text))
}
