//! Whether the stages are wired to each other: every input exists, nothing feeds itself, something begins and ends it.

use toml::de::DeTable;

use super::{
    scope::Scope,
    stage::{InputSpec, StageSpec},
};
use crate::{
    pipeline::{
        diagnostic::{Diagnostic, nearest},
        rejections,
        source::Span,
    },
    words::stage::Kind,
};

/// Checks the wiring and reports what is wrong with it. `document` tells a stage that could not be read from none.
pub(super) fn check(scope: &Scope, stages: &[StageSpec], document: &DeTable) {
    check_ends(scope, document);
    for stage in stages {
        for (at, input) in stage.inputs.iter().enumerate() {
            let earlier = &stage.inputs[..at];
            if let Some(diagnostic) = check_input(scope, stages, stage, input, earlier, document) {
                scope.complain(diagnostic);
            }
        }
    }
    for cycle in cycles(stages) {
        scope.complain(describe_cycle(scope, stages, &cycle));
    }
}

/// A pipeline brings something in and takes it out.
fn check_ends(scope: &Scope, document: &DeTable) {
    let some = |kind: Kind| {
        document.get(kind.to_string().as_str()).is_some_and(|value| value.get_ref().as_table().is_none_or(|table| !table.is_empty()))
    };
    let missing: Vec<String> = [Kind::Extract, Kind::Load].into_iter().filter(|kind| !some(*kind)).map(|kind| kind.to_string()).collect();
    if !missing.is_empty() {
        let diagnostic =
            Diagnostic::error("empty-pipeline", scope.source.name(), format!("the pipeline has no {}", missing.join(" and no ")));
        scope.complain(diagnostic.help("a pipeline needs at least one `[extract.NAME]` and one `[load.NAME]`"));
    }
}

fn check_input(
    scope: &Scope,
    stages: &[StageSpec],
    stage: &StageSpec,
    input: &InputSpec,
    earlier: &[InputSpec],
    document: &DeTable,
) -> Option<Diagnostic> {
    if earlier.iter().any(|other| other.written == input.written) {
        let message = format!("`{}` feeds {} twice", input.written, stage.title());
        return Some(scope.error("duplicate-input", input.span, message).label("already among the inputs"));
    }
    let rejected = input.port.as_deref() == Some(rejections::PORT);
    match stages.iter().find(|other| other.name == input.stage) {
        // Feeding oneself is a cycle and reported as such.
        Some(from) if from.name == stage.name => None,
        Some(from) if from.kind == Kind::Load && !rejected => {
            let message = format!("`{}` is a load: nothing comes out of it", from.name);
            let help = format!("write \"{}.{}\" for the rows that it rejects", from.name, rejections::PORT);
            Some(scope.error("load-as-input", input.span, message).label("expected an extract or a transform").help(help))
        }
        Some(from) if from.kind == Kind::Extract && rejected => {
            let message = format!("`{}` is an extract: it is given no rows that it could reject", from.name);
            Some(scope.error("unknown-port", input.span, message).label("no such port"))
        }
        Some(_) => None,
        None if is_written(document, &input.stage) => None,
        None => Some(unknown_stage(scope, stages, stage, input)),
    }
}

/// Whether there is a stage of this name that was not readable, or under a kind that does not exist: that was reported.
fn is_written(document: &DeTable, name: &str) -> bool {
    document.values().any(|value| value.get_ref().as_table().is_some_and(|table| table.contains_key(name)))
}

fn unknown_stage(scope: &Scope, stages: &[StageSpec], stage: &StageSpec, input: &InputSpec) -> Diagnostic {
    let possible: Vec<&str> =
        stages.iter().filter(|other| other.kind != Kind::Load && other.name != stage.name).map(|other| other.name.as_str()).collect();
    let diagnostic = scope.error("unknown-stage", input.span, format!("there is no stage `{}`", input.stage));
    let diagnostic = match possible.is_empty() {
        true => diagnostic.label("no stage could feed this one"),
        false => diagnostic.label(format!("expected one of: {}", possible.join(", "))),
    };
    let near = nearest(&input.stage, possible.iter().copied());
    let port = input.port.as_ref().map(|port| format!(".{port}")).unwrap_or_default();
    diagnostic.help_if(near.map(|near| format!("did you mean \"{near}{port}\"?")))
}

/// Every cycle once, as indices of stages, each fed by the one before it and the first by the last.
fn cycles(stages: &[StageSpec]) -> Vec<Vec<usize>> {
    let source = |input: &InputSpec| {
        let at = stages.iter().position(|other| other.name == input.stage)?;
        // What a load does not put out was reported as such.
        (stages[at].kind != Kind::Load || input.port.as_deref() == Some(rejections::PORT)).then_some(at)
    };
    let feeds = |stage: &StageSpec| -> Vec<usize> { stage.inputs.iter().filter_map(source).collect() };
    let sources: Vec<Vec<usize>> = stages.iter().map(feeds).collect();
    let mut search = Search { sources: &sources, state: vec![State::New; stages.len()], path: Vec::new(), found: Vec::new() };
    (0..stages.len()).for_each(|stage| search.visit(stage));
    search.found
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    OnPath,
    Done,
}

/// A walk against the flow that notices when it comes back to where it has been.
struct Search<'a> {
    sources: &'a [Vec<usize>],
    state: Vec<State>,
    path: Vec<usize>,
    found: Vec<Vec<usize>>,
}

impl Search<'_> {
    fn visit(&mut self, stage: usize) {
        match self.state[stage] {
            State::Done => return,
            State::OnPath => {
                let from = self.path.iter().position(|on_path| *on_path == stage).unwrap_or(0);
                let mut cycle: Vec<usize> = self.path[from..].to_vec();
                cycle.reverse();
                // Told from the stage that is written first.
                let first = (0..cycle.len()).min_by_key(|at| cycle[*at]).unwrap_or(0);
                cycle.rotate_left(first);
                self.found.push(cycle);
                return;
            }
            State::New => {}
        }
        self.state[stage] = State::OnPath;
        self.path.push(stage);
        for source in &self.sources[stage] {
            self.visit(*source);
        }
        self.path.pop();
        self.state[stage] = State::Done;
    }
}

fn describe_cycle(scope: &Scope, stages: &[StageSpec], cycle: &[usize]) -> Diagnostic {
    let names: Vec<&str> = cycle.iter().chain(cycle.first()).map(|stage| stages[*stage].name.as_str()).collect();
    let (first, last) = (&stages[cycle[0]], names[names.len() - 2]);
    let closing = first.inputs.iter().find(|input| input.stage == last);
    let span: Span = closing.map_or(first.places.name, |input| input.span);
    let message = match cycle.len() {
        1 => format!("`{}` feeds itself", first.name),
        _ => format!("these stages feed each other in a cycle: {}", names.join(" → ")),
    };
    scope.error("cycle", span, message).label("data would flow around for ever").help("batches flow one way: remove one of these inputs")
}
