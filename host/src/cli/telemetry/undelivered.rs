//! What telemetry could not deliver, told when everything has ended: one message for a collector, whatever was on its way there.

use crate::{cli::exit, telemetry::otlp::hint};

/// Some of one signal.
pub struct Undelivered {
    /// How much of what: `102 of 102 spans`.
    pub what: String,
    /// Where it was to go.
    pub to: String,
    /// Why it did not.
    pub why: String,
}

/// Tells it.
pub fn tell(undelivered: Vec<Undelivered>) {
    messages(undelivered).iter().for_each(|message| exit::tell(format_args!("warning: {message}")));
}

fn messages(mut left: Vec<Undelivered>) -> Vec<String> {
    let mut messages = Vec::new();
    while let Some(first) = left.first() {
        let to = first.to.clone();
        let (here, others): (Vec<_>, Vec<_>) = left.into_iter().partition(|one| one.to == to);
        left = others;
        messages.push(message(&to, &here));
    }
    messages
}

/// Of one collector.
fn message(to: &str, lost: &[Undelivered]) -> String {
    let same = lost.iter().all(|one| one.why == lost[0].why);
    let what = |one: &Undelivered| if same { one.what.clone() } else { format!("{} ({})", one.what, one.why) };
    let what: Vec<_> = lost.iter().map(what).collect();
    let (what, verb) = match what.split_last() {
        Some((last, [])) => (last.clone(), if last.ends_with(" of 1 span") || last.ends_with(" of 1 log record") { "was" } else { "were" }),
        Some((last, before)) => (format!("{} and {last}", before.join(", ")), "were"),
        None => return String::new(),
    };
    let why = if same { format!(": {}", lost[0].why) } else { String::new() };
    let hint = lost.iter().find_map(|one| hint(&one.why)).map_or(String::new(), |hint| format!(" ({hint})"));
    format!("{what} {verb} not delivered to {to}{why}{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(what: &str, to: &str, why: &str) -> Undelivered {
        Undelivered { what: what.into(), to: to.into(), why: why.into() }
    }

    /// Protects people against a message for each signal of one collector, and against two causes that are told as one.
    #[test]
    fn a_collector_is_told_of_once() {
        let gone = "connection reset";
        let told = messages(vec![
            lost("5 of 9 spans", "http://a", gone),
            lost("1 of 1 log record", "http://b", gone),
            lost("the last metrics", "http://a", gone),
        ]);
        assert_eq!(
            told,
            [
                "5 of 9 spans and the last metrics were not delivered to http://a: connection reset",
                "1 of 1 log record was not delivered to http://b: connection reset",
            ]
        );
        let two = messages(vec![lost("5 of 9 spans", "http://a", "HTTP 401 Unauthorized"), lost("the last metrics", "http://a", "late")]);
        let hint = "(OTEL_EXPORTER_OTLP_HEADERS carries credentials)";
        assert_eq!(
            two,
            [format!("5 of 9 spans (HTTP 401 Unauthorized) and the last metrics (late) were not delivered to http://a {hint}")]
        );
    }
}
