//! A plan as a picture: stages with their components, edges with the schema of what flows along them.

use super::{
    columns,
    plan::{Edge, Plan, PlannedStage, PortId},
    rejections,
};

mod dot;
mod mermaid;

/// As a Mermaid flowchart. `full` lists every column, however many there are.
pub fn mermaid(plan: &Plan, full: bool) -> String {
    mermaid::draw(plan, full)
}

/// As a DOT graph for Graphviz. `full` lists every column, however many there are.
pub fn dot(plan: &Plan, full: bool) -> String {
    dot::draw(plan, full)
}

/// What stands in a stage's box, line by line.
fn stage_lines(stage: &PlannedStage) -> Vec<String> {
    let instances = if stage.instances > 1 { format!(" × {}", stage.instances) } else { String::new() };
    vec![stage.name.clone(), format!("{}{instances}", stage.reference)]
}

/// What stands at an edge, line by line: the port, where it is not the only one, and the columns.
fn edge_lines(plan: &Plan, stage: &PlannedStage, input: usize, full: bool) -> Vec<String> {
    let Edge { from, port } = stage.inputs[input];
    let ports = &plan.stages[from].ports;
    let port = match port {
        PortId::Rejected => Some(rejections::PORT.to_owned()),
        PortId::Out(at) if ports.len() > 1 => Some(ports[at as usize].name.clone()),
        PortId::Out(_) => None,
    };
    let columns = columns::lines(&stage.opening.inputs[input].schema, full);
    port.map(|port| format!("port {port}")).into_iter().chain(columns).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::pipeline::{plan::fake::Fakes, spec::Spec};

    const TEXT: &str = r#"
name = 'late "flights"'
[extract.r]
component = "std:read"
config = { path = "p" }
grants = { read = ["p"] }
[transform.end]
component = "std:split"
inputs = ["r"]
instances = 2
[load.w]
component = "std:write"
inputs = ["end.yes", "end.rejected"]
grants = { write = ["o"] }
"#;

    fn plan(text: &str) -> Plan {
        Plan::make(&Spec::parse("p.toml", Path::new("/"), text, &|_| None).unwrap(), &Fakes::default()).ok().unwrap()
    }

    #[test]
    fn mermaid_has_shapes_ports_and_schemas() {
        let expected = r#"flowchart LR
  s0(["r<br/>std:read"])
  s1["end<br/>std:split × 2"]
  s2[("w<br/>std:write")]
  s0 -->|"a: Int64?<br/>b: Int64?"| s1
  s1 -->|"port yes<br/>a: Int64?<br/>b: Int64?"| s2
  s1 -->|"port rejected<br/>a: Int64?<br/>b: Int64?<br/>rejected_by: Utf8<br/>rejected_reason: Utf8"| s2
"#;
        assert_eq!(mermaid(&plan(TEXT), false), expected);
    }

    #[test]
    fn dot_has_shapes_ports_and_schemas() {
        let expected = r#"digraph "late \"flights\"" {
  rankdir=LR
  node [fontname="monospace"]
  edge [fontname="monospace", fontsize=10]
  s0 [shape=ellipse, label="r\nstd:read"]
  s1 [shape=box, label="end\nstd:split × 2"]
  s2 [shape=cylinder, label="w\nstd:write"]
  s0 -> s1 [label="a: Int64?\lb: Int64?\l"]
  s1 -> s2 [label="port yes\la: Int64?\lb: Int64?\l"]
  s1 -> s2 [label="port rejected\la: Int64?\lb: Int64?\lrejected_by: Utf8\lrejected_reason: Utf8\l"]
}
"#;
        assert_eq!(dot(&plan(TEXT), false), expected);
    }

    #[test]
    fn wide_schemas_are_abbreviated_unless_asked_for() {
        let text = "[extract.r]\ncomponent = \"std:wide-read\"\n[load.w]\ncomponent = \"std:write\"\ninputs = [\"r\"]\ngrants = { write = [\"o\"] }\n";
        let plan = plan(text);
        assert!(mermaid(&plan, false).contains("… 8 more") && !mermaid(&plan, false).contains("c19"));
        assert!(mermaid(&plan, true).contains("c19") && dot(&plan, true).contains("c19"));
    }
}
