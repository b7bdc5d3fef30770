//! Mermaid, as GitHub and most documentation tools draw it.

use super::{edge_lines, stage_lines};
use crate::{pipeline::plan::Plan, words::stage::Kind};

pub(super) fn draw(plan: &Plan, full: bool) -> String {
    let mut out = "flowchart LR\n".to_owned();
    for (at, stage) in plan.stages.iter().enumerate() {
        let (open, close) = match stage.kind {
            Kind::Extract => ("([", "])"),
            Kind::Transform => ("[", "]"),
            Kind::Load => ("[(", ")]"),
        };
        // Stages are numbered: a name such as `end` is a word of Mermaid's own.
        out += &format!("  s{at}{open}\"{}\"{close}\n", text(&stage_lines(stage)));
    }
    for (to, stage) in plan.stages.iter().enumerate() {
        for (input, edge) in stage.inputs.iter().enumerate() {
            out += &format!("  s{} -->|\"{}\"| s{to}\n", edge.from, text(&edge_lines(plan, stage, input, full)));
        }
    }
    out
}

/// Lines of a label. Only letters, digits and what means nothing to Mermaid, Markdown or HTML stay as they are.
fn text(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| line.chars().map(escape).collect()).collect();
    lines.join("<br/>")
}

fn escape(c: char) -> String {
    match c {
        c if c.is_control() => " ".to_owned(),
        c if c.is_alphanumeric() || " :?_-./,()…×µ".contains(c) || !c.is_ascii() => c.to_string(),
        c => format!("#{};", u32::from(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_leave_its_quotes() {
        let sly = text(&["\"]; click s0 <b>`#|\n".to_owned(), "größe_1".to_owned()]);
        assert_eq!(sly, "#34;#93;#59; click s0 #60;b#62;#96;#35;#124; <br/>größe_1");
    }
}
