//! Whether it opens, and what it then promises.

use std::sync::Arc;

use super::{Case, must};
use crate::{
    conformance::{
        card::{Asked, Finding, fails},
        subject::Subject,
    },
    words::{
        call::{CallError, StageError},
        stage::Kind,
    },
};

pub const CASES: &[Case] = &[must("opens", opens)];

pub const OF_A_TRANSFORM: &[Case] = &[must("several inputs", several_inputs), must("instances know nothing of each other", independent)];

fn opens(subject: &Subject) -> Asked {
    if subject.component().kind() == Kind::Transform {
        let opened = subject.open_with(subject.config(), &subject.schema(), None);
        let (_, ports) = opened.map_err(|error| does_not_open(subject, &error))?;
        return Ok(format!("with {}, by {}", subject.config(), ports.iter().map(|port| port.name.as_str()).collect::<Vec<_>>().join(", ")));
    }
    subject.try_config(subject.config()).map_err(|error| does_not_open(subject, &error))?;
    Ok(format!("with {}", subject.config()))
}

/// What is not known here is what this component wants; whoever runs it can say.
fn does_not_open(subject: &Subject, error: &CallError) -> Finding {
    match error {
        CallError::Stage(StageError::Config { .. } | StageError::Schema { .. }) => {
            Finding::Fails(format!("not with {}: {error}; --config and --input say what it needs", subject.config()))
        }
        CallError::Ungranted { .. } => Finding::Fails(format!("{error}; --grant gives it")),
        error => Finding::failed("it does not open", error),
    }
}

/// A stage may refuse a second input, in words.
fn several_inputs(subject: &Subject) -> Asked {
    subject.open().map_err(|error| does_not_open(subject, &error))?;
    let schemas = [subject.schema(), subject.schema()];
    match subject.component().open_transform(&subject.opening(subject.config(), &schemas, None)).outcome {
        Ok((mut transform, _)) => {
            for input in 0..2 {
                let outcome = transform.process(input, &subject.batch(10)).outcome;
                outcome.map_err(|error| Finding::failed(format!("a batch from input {input}"), &error))?;
            }
            Ok("two of one schema are taken".into())
        }
        Err(CallError::Stage(StageError::Config { message, .. } | StageError::Schema { message, .. })) => Ok(format!("refused: {message}")),
        Err(error) => Err(Finding::failed("two inputs of one schema", &error)),
    }
}

/// Two instances at work alternately.
fn independent(subject: &Subject) -> Asked {
    let open = || subject.open().map_err(|error| does_not_open(subject, &error));
    let (mut one, mut two) = (open()?, open()?);
    let batch = subject.batch(20);
    let mut answers = Vec::new();
    for _ in 0..2 {
        for transform in [&mut one, &mut two] {
            let answer = transform.process(0, &Arc::clone(&batch)).outcome;
            answers.push(answer.map_err(|error| Finding::failed("`process` fails", &error))?.outputs);
        }
    }
    if answers[0] != answers[1] || answers[2] != answers[3] {
        return fails("a second instance answers otherwise than the first");
    }
    Ok("two at work alternately".into())
}
