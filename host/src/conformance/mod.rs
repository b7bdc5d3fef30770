//! Floor 1d: what a component must do to be a good stage of any pipeline, asked of it in the real host and told as a
//! report card. The cases are in `cases/`, one concern a file.

mod arrays;
mod calls;
mod card;
mod cases;
mod config;
mod subject;

pub use card::{Card, Line, Verdict, Weight};
pub use subject::{Role, Subject};

/// Asks a component everything that applies to its kind.
pub fn examine(subject: &Subject) -> Card {
    let lines = cases::of(subject).map(|case| {
        let began = std::time::Instant::now();
        let verdict = match (case.ask)(subject) {
            Ok(found) => Verdict::Pass(found),
            Err(card::Finding::Fails(reason)) => Verdict::Fail(reason),
            Err(card::Finding::DoesNotApply(reason)) => Verdict::NotApplicable(reason),
        };
        Line { name: case.name, weight: case.weight(subject), verdict, seconds: began.elapsed().as_secs_f64() }
    });
    Card::new(subject, lines.collect())
}
