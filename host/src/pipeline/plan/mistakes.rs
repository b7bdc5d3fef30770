//! What a stage says when it cannot be opened, told at the place in the file that it means.

use super::config_keys;
use crate::{
    pipeline::{
        columns,
        diagnostic::{Diagnostic, nearest},
        source::Span,
        spec::{Spec, StageSpec},
    },
    words::{
        blame::Blame,
        call::{CallError, StageError},
        stage::{Component, Input},
    },
};

/// The complaints for a stage whose `open` failed.
pub(super) fn of_opening(
    spec: &Spec,
    stage: &StageSpec,
    component: &dyn Component,
    inputs: &[Input],
    error: &CallError,
) -> Vec<Diagnostic> {
    let diagnostic = match error {
        CallError::Stage(StageError::Config { pointer, offset, message, help }) => {
            // A key that should not be there, or should, says more than what is amiss for it.
            let keys = config_keys::complaints(spec, stage, component);
            if offset.is_none() && !keys.is_empty() {
                return keys;
            }
            config(spec, stage, pointer, *offset, message).help_if(help.as_ref())
        }
        CallError::Stage(StageError::Schema { column, message }) => schema(spec, stage, inputs, column.as_deref(), message),
        other => failed(spec, stage, other),
    };
    vec![diagnostic]
}

/// A diagnostic whose headline is the first line of a component's message; the rest follows as a note.
fn told(spec: &Spec, stage: &StageSpec, code: &'static str, span: Span, message: &str) -> Diagnostic {
    let (first, rest) = message.trim_end().split_once('\n').unwrap_or((message.trim_end(), ""));
    let diagnostic = Diagnostic::at(code, &spec.source, span, first);
    let diagnostic = if rest.trim().is_empty() { diagnostic } else { diagnostic.note(rest) };
    diagnostic.note(format!("reported by `{}` in {}", stage.component, stage.title()))
}

fn config(spec: &Spec, stage: &StageSpec, pointer: &str, offset: Option<u32>, message: &str) -> Diagnostic {
    match stage.places.config.span(pointer, offset) {
        Some(span) => told(spec, stage, "config", span, message),
        None => told(spec, stage, "config", stage.places.name, message).label("this stage has no `config`"),
    }
}

fn schema(spec: &Spec, stage: &StageSpec, inputs: &[Input], column: Option<&str>, message: &str) -> Diagnostic {
    let span = match stage.inputs.as_slice() {
        [only] => only.span,
        _ => stage.places.inputs.unwrap_or(stage.places.component),
    };
    let message = column.map_or_else(|| message.to_owned(), |column| format!("column `{column}`: {message}"));
    let mut diagnostic = told(spec, stage, "schema", span, &message);
    let names = || inputs.iter().flat_map(|input| input.schema.fields()).map(|field| field.name().as_str());
    if let Some(column) = column.filter(|column| !names().any(|name| name == *column)) {
        diagnostic = diagnostic.nearest(nearest(column, names()));
    }
    inputs.iter().fold(diagnostic, |diagnostic, input| {
        diagnostic.note(format!("`{}` has {}", input.name, columns::lines(&input.schema, false).join(", ")))
    })
}

/// Everything that is not said in the contract's words about the file: told where the component is named.
fn failed(spec: &Spec, stage: &StageSpec, error: &CallError) -> Diagnostic {
    let message = format!("{} cannot be opened: {error}", stage.title());
    let (first, rest) = message.trim_end().split_once('\n').unwrap_or((&message, ""));
    let label = match error.blame() {
        Blame::Guest => "this component is at fault",
        Blame::Host => "the host is at fault",
        Blame::Data => "the data that it reads is wrong",
        Blame::Outside => "something outside did not answer",
        Blame::Pipeline => "used here",
    };
    let diagnostic = Diagnostic::at(error.reason(), &spec.source, stage.places.component, first).label(label);
    let diagnostic = if rest.trim().is_empty() { diagnostic } else { diagnostic.note(rest) };
    match error {
        CallError::Limit { limit, .. } => diagnostic.help(format!("raise `limits.{limit}` of {}", stage.title())),
        _ => diagnostic,
    }
}
