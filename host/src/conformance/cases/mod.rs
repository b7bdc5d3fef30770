//! The cases. Each file adds its own; which apply is a matter of the component's kind and role.

mod batches;
mod description;
mod ends;
mod errors;
mod memory;
mod opening;
mod scale;
mod state;
mod total;
mod types;

use super::{
    card::{Asked, Weight},
    subject::{Role, Subject},
};
use crate::words::stage::Kind;

/// One thing that is asked of a component.
pub struct Case {
    /// A few words, as they stand on the card.
    pub name: &'static str,
    weight: Weight,
    /// Weighs as `must` where the component plays a role, whose contract says so.
    strict_in_a_role: bool,
    /// Asks it.
    pub ask: fn(&Subject) -> Asked,
}

const fn must(name: &'static str, ask: fn(&Subject) -> Asked) -> Case {
    Case { name, weight: Weight::Must, strict_in_a_role: true, ask }
}

const fn should(name: &'static str, ask: fn(&Subject) -> Asked) -> Case {
    Case { name, weight: Weight::Should, strict_in_a_role: false, ask }
}

/// What a reference stage must and any other should.
const fn expected(name: &'static str, ask: fn(&Subject) -> Asked) -> Case {
    Case { name, weight: Weight::Should, strict_in_a_role: true, ask }
}

// === impl Case ===

impl Case {
    /// How grave it is that this component fails.
    pub fn weight(&self, subject: &Subject) -> Weight {
        if self.strict_in_a_role && subject.role() != Role::Any { Weight::Must } else { self.weight }
    }
}

/// The cases that a component of this kind and role is asked.
pub fn of(subject: &Subject) -> impl Iterator<Item = &'static Case> {
    let by_kind: &[&[Case]] = match subject.component().kind() {
        Kind::Transform => &[opening::OF_A_TRANSFORM, types::CASES, batches::CASES, state::CASES, memory::CASES],
        Kind::Extract => &[ends::OF_AN_EXTRACT],
        Kind::Load => &[ends::OF_A_LOAD],
    };
    let by_role: &[Case] = match subject.role() {
        Role::Any => &[],
        Role::Scale => scale::CASES,
        Role::Total => total::CASES,
    };
    let first: [&[Case]; 3] = [description::CASES, opening::CASES, errors::CASES];
    first.into_iter().chain(by_kind.to_vec()).chain([by_role]).flatten()
}
