//! The order in which stages can be opened: each after those that feed it, otherwise as written.

use crate::pipeline::spec::Spec;

/// Indices of the spec's stages. A stage on a cycle is left out; a spec has none.
pub(super) fn topological(spec: &Spec) -> Vec<usize> {
    let position = |name: &str| spec.stages.iter().position(|stage| stage.name == name);
    let sources: Vec<Vec<usize>> =
        spec.stages.iter().map(|stage| stage.inputs.iter().filter_map(|input| position(&input.stage)).collect()).collect();
    let mut order = Vec::with_capacity(sources.len());
    let mut placed = vec![false; sources.len()];
    while let Some(next) = (0..sources.len()).find(|stage| !placed[*stage] && sources[*stage].iter().all(|source| placed[*source])) {
        placed[next] = true;
        order.push(next);
    }
    order
}
