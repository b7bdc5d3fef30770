//! The order in which stages can be opened: each after those that feed it, otherwise as written.

use crate::pipeline::spec::Spec;

/// Indices of the spec's stages. A stage on a cycle is left out; a spec has none.
pub(super) fn topological(spec: &Spec) -> Vec<usize> {
    let position = |name: &str| spec.stages.iter().position(|stage| stage.name == name);
    let sources: Vec<Vec<usize>> = spec
        .stages
        .iter()
        .map(|stage| stage.inputs.iter().filter_map(|input| position(&input.stage)).collect())
        .collect();
    let mut order: Vec<usize> = Vec::with_capacity(sources.len());
    let ready = |order: &[usize], stage: usize| !order.contains(&stage) && sources[stage].iter().all(|source| order.contains(source));
    while let Some(next) = (0..sources.len()).find(|stage| ready(&order, *stage)) {
        order.push(next);
    }
    order
}
