//! DOT, for Graphviz.

use super::{edge_lines, stage_lines};
use crate::{pipeline::plan::Plan, words::stage::Kind};

pub(super) fn draw(plan: &Plan, full: bool) -> String {
    let mut out = format!("digraph \"{}\" {{\n  rankdir=LR\n", escape(&plan.name));
    out += "  node [fontname=\"monospace\"]\n  edge [fontname=\"monospace\", fontsize=10]\n";
    for (at, stage) in plan.stages.iter().enumerate() {
        let shape = match stage.kind {
            Kind::Extract => "ellipse",
            Kind::Transform => "box",
            Kind::Load => "cylinder",
        };
        let lines: Vec<String> = stage_lines(stage).iter().map(|line| escape(line)).collect();
        out += &format!("  s{at} [shape={shape}, label=\"{}\"]\n", lines.join("\\n"));
    }
    for (to, stage) in plan.stages.iter().enumerate() {
        for (input, edge) in stage.inputs.iter().enumerate() {
            // `\l` ends a line and sets it to the left.
            let lines: String = edge_lines(plan, stage, input, full).iter().map(|line| escape(line) + "\\l").collect();
            out += &format!("  s{} -> s{to} [label=\"{lines}\"]\n", edge.from);
        }
    }
    out + "}\n"
}

fn escape(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.collect::<String>().replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_leave_its_quotes() {
        assert_eq!(escape("a\"];\\l\n"), "a\\\"];\\\\l ");
    }
}
