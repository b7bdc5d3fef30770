//! `parshall new`: a project with a stage that works, its test, its SDK.

use std::path::Path;

use super::{Exit, exit};
use crate::project::{self, KindWord, Language};

/// Arguments of `parshall new`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The stage's name; a folder of this name is made.
    #[arg(value_name = "NAME")]
    name: String,
    /// What the stage does. Extracts and loads there are in Python; the SDKs of other languages are for transforms.
    #[arg(long, value_enum, default_value_t = KindWord::Transform, value_name = "KIND")]
    kind: KindWord,
    /// The language to write it in.
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    lang: Language,
}

/// Makes it, and says what to do next.
pub fn new(arguments: &Arguments) -> Result<(), Exit> {
    let Arguments { name, kind, lang } = arguments;
    let made = project::create(Path::new("."), name, *kind, *lang).map_err(Exit::Wrong)?;
    let sources = made.files.iter().filter(|file| !file.starts_with("sdk/"));
    let listed: String = sources.map(|file| format!("  {name}/{file}\n")).collect();
    let sdk = made.files.iter().filter(|file| file.starts_with("sdk/")).count();
    exit::print(&format!("{listed}  {name}/sdk/ ({sdk} files)\n\ncd {name} && parshall build && parshall test\n"))
}
