//! Whether what runs can go on as what a stage shall be: then there is nothing to open.

use std::cmp::Ordering;

use super::PlannedStage;
use crate::{
    pipeline::spec::StageSpec,
    words::stage::{Component, Input, Kind, Opening},
};

/// Whether a stage that runs is what it shall be, whoever feeds it.
pub(super) fn is_same(running: &PlannedStage, stage: &StageSpec, component: &dyn Component, opening: &Opening) -> bool {
    let fed_alike = Opening { restore: None, inputs: opening.inputs.clone(), ..running.opening.clone() };
    running.name == stage.name
        && running.kind == stage.kind
        && running.component.digest() == component.digest()
        && fed_alike == *opening
        && takes(running.kind, &running.opening.inputs, &opening.inputs)
}

/// Whether instances that were opened for some inputs take what comes by others: they know inputs by numbers and columns, the names are
/// for people. An input less or, for a load, one more is nothing new if it has the columns of the first. (Another transform would be
/// opened for more inputs, with what the one that runs remembers. A load may have a target that cannot be opened twice.)
pub fn takes(kind: Kind, opened: &[Input], inputs: &[Input]) -> bool {
    let common = opened.iter().zip(inputs).all(|(was, is)| was.schema == is.schema);
    let surplus = if inputs.len() > opened.len() { &inputs[opened.len()..] } else { &opened[inputs.len()..] };
    let like_the_first = surplus.iter().all(|input| opened.first().is_some_and(|first| first.schema == input.schema));
    common
        && match inputs.len().cmp(&opened.len()) {
            Ordering::Equal => true,
            Ordering::Less => like_the_first && !inputs.is_empty(),
            Ordering::Greater => like_the_first && kind == Kind::Load,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::plan::fake::schema;

    fn inputs(columns: &[&str]) -> Vec<Input> {
        columns.iter().enumerate().map(|(at, column)| Input { name: format!("i{at}"), schema: schema(&[column]) }).collect()
    }

    /// Protects an instance against batches of columns that it was not opened for.
    #[test]
    fn who_feeds_is_all_the_same_and_what_is_not() {
        let takes = |kind, was: &[&str], is: &[&str]| takes(kind, &inputs(was), &inputs(is));
        let either = |was: &[&str], is: &[&str]| [Kind::Transform, Kind::Load].map(|kind| takes(kind, was, is));
        assert_eq!(either(&["a", "b"], &["a", "b"]), [true, true]);
        assert_eq!(either(&["a", "b"], &["b", "a"]), [false, false]);
        assert_eq!(either(&["a", "a"], &["a"]), [true, true]);
        assert_eq!(either(&["a", "b"], &["a"]), [false, false], "what is still on its way by `b` could not be given to anybody");
        assert_eq!(either(&["a"], &["a", "a"]), [false, true]);
        assert_eq!(either(&["a"], &["a", "b"]), [false, false]);
        assert_eq!(either(&[], &[]), [true, true]);
    }
}
