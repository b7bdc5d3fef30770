//! A WebAssembly binary without its custom sections, also those of the modules and components inside it.

use anyhow::{Context, Result, bail};

/// Magic number and version, of module and component alike.
const PREAMBLE: usize = 8;
const CUSTOM: u8 = 0;
/// Sections of a component that hold a whole binary: a core module, a component.
const NESTED: [u8; 2] = [1, 4];

/// The same binary, custom sections left out at every depth.
pub fn without_custom(binary: &[u8]) -> Result<Vec<u8>> {
    let Some((preamble, mut rest)) = binary.split_at_checked(PREAMBLE) else { bail!("not a WebAssembly binary") };
    if !preamble.starts_with(b"\0asm") {
        bail!("not a WebAssembly binary");
    }
    let component = preamble[6] == 1;
    let mut kept = preamble.to_vec();
    while let Some((&id, after)) = rest.split_first() {
        let (size, after) = leb128(after).context("a section's size is cut off")?;
        let (body, after) = after.split_at_checked(size).context("a section is cut off")?;
        if component && NESTED.contains(&id) {
            push(&mut kept, id, &without_custom(body)?);
        } else if id != CUSTOM {
            push(&mut kept, id, body);
        }
        rest = after;
    }
    Ok(kept)
}

fn push(binary: &mut Vec<u8>, id: u8, body: &[u8]) {
    binary.push(id);
    let mut size = body.len();
    while size >= 0x80 {
        binary.push(size as u8 | 0x80);
        size >>= 7;
    }
    binary.push(size as u8);
    binary.extend_from_slice(body);
}

fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
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
