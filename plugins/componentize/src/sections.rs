//! The sections of a WebAssembly binary, one after the other: left out, changed, at every depth.

use anyhow::{Context, Result, bail};

/// Magic number and version, of module and component alike.
pub const PREAMBLE: usize = 8;
const CUSTOM: u8 = 0;
/// Sections of a component that hold a whole binary: a core module, a component.
const CORE_MODULE: u8 = 1;
const COMPONENT: u8 = 4;

/// The same binary, custom sections left out at every depth.
pub fn without_custom(binary: &[u8]) -> Result<Vec<u8>> {
    let component = is_component(binary);
    let mut kept = binary.get(..PREAMBLE).unwrap_or_default().to_vec();
    for found in sections(binary)? {
        let (id, body) = found?;
        if component && [CORE_MODULE, COMPONENT].contains(&id) {
            push(&mut kept, id, &without_custom(body)?);
        } else if id != CUSTOM {
            push(&mut kept, id, body);
        }
    }
    Ok(kept)
}

/// The same component, each core module in it changed, at every depth.
pub fn map_modules(component: &[u8], change: &mut impl FnMut(&[u8]) -> Result<Vec<u8>>) -> Result<Vec<u8>> {
    let mut changed = component.get(..PREAMBLE).unwrap_or_default().to_vec();
    for found in sections(component)? {
        match found? {
            (CORE_MODULE, module) => push(&mut changed, CORE_MODULE, &change(module)?),
            (COMPONENT, inner) => push(&mut changed, COMPONENT, &map_modules(inner, change)?),
            (id, body) => push(&mut changed, id, body),
        }
    }
    Ok(changed)
}

/// The same binary, each section changed, or become several.
pub fn map(binary: &[u8], change: &mut impl FnMut(u8, &[u8]) -> Result<Vec<(u8, Vec<u8>)>>) -> Result<Vec<u8>> {
    let mut changed = binary.get(..PREAMBLE).unwrap_or_default().to_vec();
    for found in sections(binary)? {
        let (id, body) = found?;
        change(id, body)?.iter().for_each(|(id, body)| push(&mut changed, *id, body));
    }
    Ok(changed)
}

fn is_component(binary: &[u8]) -> bool {
    binary.get(6) == Some(&1)
}

/// Each section's number and body.
fn sections(binary: &[u8]) -> Result<impl Iterator<Item = Result<(u8, &[u8])>>> {
    let Some((preamble, mut rest)) = binary.split_at_checked(PREAMBLE) else { bail!("not a WebAssembly binary") };
    if !preamble.starts_with(b"\0asm") {
        bail!("not a WebAssembly binary");
    }
    Ok(std::iter::from_fn(move || {
        let (&id, after) = rest.split_first()?;
        let mut next = || {
            let (size, after) = leb128(after).context("a section's size is cut off")?;
            let (body, after) = after.split_at_checked(size).context("a section is cut off")?;
            rest = after;
            Ok((id, body))
        };
        let found = next();
        if found.is_err() {
            rest = &[];
        }
        Some(found)
    }))
}

/// One section.
#[cfg(test)]
pub fn section(id: u8, body: &[u8]) -> Vec<u8> {
    let mut section = Vec::new();
    push(&mut section, id, body);
    section
}

/// Adds a section to a binary.
pub fn push(binary: &mut Vec<u8>, id: u8, body: &[u8]) {
    binary.push(id);
    binary.extend(unsigned(body.len() as u32));
    binary.extend_from_slice(body);
}

/// A number as LEB128.
pub fn unsigned(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A number in LEB128 and what follows it.
pub fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0usize;
    for (index, &byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against a machine's paths and tool versions getting into what we publish.
    #[test]
    fn custom_sections_go_at_every_depth() {
        let module = [b"\0asm\x01\0\0\0".as_slice(), &[0, 3, 1, b'n', 9], &[1, 1, 0]].concat();
        let stripped = [b"\0asm\x01\0\0\0".as_slice(), &[1, 1, 0]].concat();
        assert_eq!(without_custom(&module).unwrap(), stripped);

        let component = |inner: &[u8]| [b"\0asm\x0d\0\x01\0".as_slice(), &[1, inner.len() as u8], inner].concat();
        assert_eq!(without_custom(&component(&module)).unwrap(), component(&stripped));
    }

    /// Protects against a truncated file passing as a shorter one.
    #[test]
    fn a_cut_off_section_is_an_error() {
        assert!(without_custom(b"\0asm\x01\0\0\0\x01\x05\0").is_err());
    }
}
