//! The contract as it is part of the binary, and the world of one component.

use std::{fs, path::Path};

use super::manifest::{Import, KindWord};

/// The contract's files.
pub const CONTRACT: [(&str, &str); 4] = [
    ("types.wit", include_str!("../../../wit/types.wit")),
    ("stages.wit", include_str!("../../../wit/stages.wit")),
    ("capabilities.wit", include_str!("../../../wit/capabilities.wit")),
    ("worlds.wit", include_str!("../../../wit/worlds.wit")),
];

/// The contract as one document, as `wasm-tools component wit` prints it.
pub fn contract() -> Result<String, String> {
    let print = || {
        let (resolve, package) = componentize::wit::package(&CONTRACT)?;
        componentize::wit::print(&resolve, package)
    };
    print().map_err(|error| format!("{error:#}"))
}

/// A package of WIT as registries keep it.
pub struct Package {
    /// Its binary form.
    pub bytes: Vec<u8>,
    /// Its interfaces and worlds, as `package:name/interface@version`.
    pub names: Vec<String>,
}

// === impl Package ===

impl Package {
    /// Of the text of a package, and of those that it uses.
    pub fn of_text(name: &str, text: &str) -> Result<Self, String> {
        let encoded = || {
            let (resolve, package) = componentize::wit::package(&[(name, text)])?;
            let bytes = componentize::wit::encode(&resolve, package)?;
            let package = &resolve.packages[package];
            let names = package.interfaces.keys().chain(package.worlds.keys()).map(|name| package.name.interface_id(name)).collect();
            Ok(Package { bytes, names })
        };
        encoded().map_err(|error: anyhow::Error| format!("{error:#}"))
    }

    /// Of its binary form; nothing if that is no package but a component, or neither.
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let text = componentize::wit::is_package(bytes).then(|| componentize::wit::of_component(bytes))?.ok()?;
        Some(Package { bytes: bytes.to_vec(), ..Package::of_text("package.wit", &text).ok()? })
    }
}

/// The world that [`write`] makes.
pub const WORLD: &str = "component";

/// Lays down a world that exports a stage and imports what was asked for and no more: tools that import a whole
/// world would otherwise ask for grants that the stage does not use.
pub fn write(folder: &Path, kind: KindWord, imports: &[Import]) -> std::io::Result<()> {
    let contract = folder.join("deps/parshall-stage");
    fs::create_dir_all(&contract)?;
    for (name, text) in CONTRACT {
        fs::write(contract.join(name), text)?;
    }
    let import = |import: &Import| format!("  import parshall:stage/{}@0.1.0;\n", import.interface());
    let imports: String = imports.iter().map(import).collect();
    let kind = kind.name();
    let world = format!("package parshall:project;\n\nworld {WORLD} {{\n{imports}  export parshall:stage/{kind}@0.1.0;\n}}\n");
    fs::write(folder.join("world.wit"), world)
}
