//! WIT as text: parsed from files or from memory, and printed for a component.

use anyhow::{Context, Result};
use wit_component::{DecodedWasm, WitPrinter};
use wit_parser::{PackageId, Resolve, UnresolvedPackageGroup};

/// A package from the texts of its files.
pub fn package(files: &[(&str, &str)]) -> Result<(Resolve, PackageId)> {
    let mut resolve = Resolve::default();
    let mut map = wit_parser::SourceMap::new();
    for (name, text) in files {
        map.push(std::path::Path::new(name), *text);
    }
    let group: UnresolvedPackageGroup = map.parse().map_err(|(_, error)| anyhow::anyhow!("{error}")).context("the WIT does not parse")?;
    let package = resolve.push_group(group)?;
    Ok((resolve, package))
}

/// What a component imports and exports, as `wasm-tools component wit` prints it.
pub fn of_component(component: &[u8]) -> Result<String> {
    let decoded = wit_component::decode(component).context("its types do not decode")?;
    print(decoded.resolve(), decoded.package())
}

/// A package, and those that it uses, as one document.
pub fn print(resolve: &Resolve, package: PackageId) -> Result<String> {
    let others: Vec<PackageId> = resolve.packages.iter().map(|(id, _)| id).filter(|id| *id != package).collect();
    let mut printer = WitPrinter::default();
    printer.print(resolve, package, &others)?;
    Ok(printer.output.to_string())
}

/// A package in the binary form that registries keep.
pub fn encode(resolve: &Resolve, package: PackageId) -> Result<Vec<u8>> {
    wit_component::encode(resolve, package)
}

/// Whether these bytes are a package of WIT rather than a component.
pub fn is_package(bytes: &[u8]) -> bool {
    matches!(wit_component::decode(bytes), Ok(DecodedWasm::WitPackage(..)))
}
