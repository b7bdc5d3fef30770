//! `parshall graph`: a pipeline as a picture.

use clap::ValueEnum;

use super::{Exit, PipelineFile, exit, session};
use crate::pipeline::graph as draw;

/// Arguments of `parshall graph`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineFile,
    /// The language of the picture.
    #[arg(long, value_enum, default_value_t = Format::Mermaid)]
    format: Format,
    /// Show every column, however many there are.
    #[arg(long)]
    full: bool,
}

/// The language of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For Markdown: forges and many editors draw it in place.
    Mermaid,
    /// For Graphviz: `parshall graph FILE --format dot | dot -Tsvg`.
    Dot,
}

/// Draws it.
pub fn graph(arguments: &Arguments, colour: bool) -> Result<(), Exit> {
    let plan = session::plan(&arguments.pipeline, colour)?.plan;
    exit::print(&match arguments.format {
        Format::Mermaid => draw::mermaid(&plan, arguments.full),
        Format::Dot => draw::dot(&plan, arguments.full),
    })
}
