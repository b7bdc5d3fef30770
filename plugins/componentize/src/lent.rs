//! Gives a lent frame back at the end of a call, for a toolchain that forgets to.
//!
//! componentize-qjs (0.4.3 to 0.4.5) lets go of a borrowed handle with the rest of the call's context, in the function that
//! runs after the call has returned; the component model wants it before. The module that exports `process` imports what
//! drops a frame, so a function is added that calls the one and then the other, and is exported in its place.

use anyhow::{Context, Result, bail};
use wasmparser::{ExternalKind, Parser, Payload, TypeRef};

use super::sections::{self, leb128, unsigned};

const FRAMES: &str = "parshall:stage/frames@";
const DROP: &str = "[resource-drop]frame";
const TRANSFORM: &str = "parshall:stage/transform@";
const PROCESS: &str = "#process";

const FUNCTIONS: u8 = 3;
const EXPORTS: u8 = 7;
const CODE: u8 = 10;

/// The same component, whose `process` gives its frame back.
pub fn give_back(component: &[u8]) -> Result<Vec<u8>> {
    let mut mended = 0;
    let rewritten = sections::map_modules(component, &mut |module| match lender(module)? {
        Some(lender) => {
            mended += 1;
            lender.mend(module)
        }
        None => Ok(module.to_vec()),
    })?;
    if mended != 1 {
        bail!("{mended} modules export `process` and import `{DROP}`; one was expected");
    }
    Ok(rewritten)
}

/// A module whose `process` is lent a frame.
struct Lender {
    /// Index of the function exported as `process`, its type's, and that of what drops a frame.
    process: u32,
    signature: u32,
    drop: u32,
    /// Functions that there are, imported ones included.
    functions: u32,
}

fn lender(module: &[u8]) -> Result<Option<Lender>> {
    let (mut drop, mut process, mut imported, mut types) = (None, None, 0, Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import?;
                    if matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)) {
                        if import.module.starts_with(FRAMES) && import.name == DROP {
                            drop = Some(imported);
                        }
                        imported += 1;
                    }
                }
            }
            Payload::FunctionSection(functions) => types = functions.into_iter().collect::<Result<Vec<u32>, _>>()?,
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    if export.kind == ExternalKind::Func && export.name.starts_with(TRANSFORM) && export.name.ends_with(PROCESS) {
                        process = Some(export.index);
                    }
                }
            }
            _ => {}
        }
    }
    let (Some(drop), Some(process)) = (drop, process) else { return Ok(None) };
    let defined = process.checked_sub(imported).context("`process` is an import")?;
    let signature = *types.get(defined as usize).context("`process` has no type")?;
    Ok(Some(Lender { process, signature, drop, functions: imported + types.len() as u32 }))
}

// === impl Lender ===

impl Lender {
    fn mend(&self, module: &[u8]) -> Result<Vec<u8>> {
        sections::map(module, &mut |id, body| match id {
            FUNCTIONS => appended(body, &unsigned(self.signature)),
            CODE => appended(body, &self.body()),
            EXPORTS => self.exports(body),
            _ => Ok(body.to_vec()),
        })
    }

    /// `process(input, rows, frame)`, then `drop(frame)`; what `process` answered stays on the stack.
    fn body(&self) -> Vec<u8> {
        const LOCAL_GET: u8 = 0x20;
        const CALL: u8 = 0x10;
        const END: u8 = 0x0b;
        let mut code = vec![0, LOCAL_GET, 0, LOCAL_GET, 1, LOCAL_GET, 2, CALL];
        code.extend(unsigned(self.process));
        code.extend([LOCAL_GET, 2, CALL]);
        code.extend(unsigned(self.drop));
        code.push(END);
        let mut body = unsigned(code.len() as u32);
        body.extend(code);
        body
    }

    /// The exports, `process` being the added function.
    fn exports(&self, body: &[u8]) -> Result<Vec<u8>> {
        let (count, mut rest) = leb128(body).context("the exports are cut off")?;
        let mut rewritten = unsigned(count as u32);
        for _ in 0..count {
            let (length, after) = leb128(rest).context("an export is cut off")?;
            let (name, after) = after.split_at_checked(length).context("an export is cut off")?;
            let (&kind, after) = after.split_first().context("an export is cut off")?;
            let (index, after) = leb128(after).context("an export is cut off")?;
            let ours = kind == 0 && index as u32 == self.process && name.ends_with(PROCESS.as_bytes());
            rewritten.extend(unsigned(length as u32));
            rewritten.extend(name);
            rewritten.push(kind);
            rewritten.extend(unsigned(if ours { self.functions } else { index as u32 }));
            rest = after;
        }
        Ok(rewritten)
    }
}

/// A vector's section with one item more.
fn appended(body: &[u8], item: &[u8]) -> Result<Vec<u8>> {
    let (count, items) = leb128(body).context("a section is cut off")?;
    Ok([&unsigned(count as u32 + 1), items, item].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sections::{push, section};

    const MODULE: &str = r#"
        (module
          (import "parshall:stage/frames@0.1.0" "[resource-drop]frame" (func (param i32)))
          (func (export "parshall:stage/transform@0.1.0#process") (param i32 i64 i32) (result i32) (local.get 0))
          (func (export "other") (param i32)))"#;

    /// Protects against a rewritten module that does not validate, or exports what it had before.
    #[test]
    fn the_export_is_the_added_function() {
        let module = wat::parse_str(MODULE).unwrap();
        let mended = lender(&module).unwrap().unwrap().mend(&module).unwrap();
        wasmparser::validate(&mended).unwrap();
        let lender = lender(&mended).unwrap().unwrap();
        assert_eq!((lender.process, lender.functions), (3, 4));
    }

    /// Protects against a component of another kind that is silently left as it was.
    #[test]
    fn what_has_no_such_module_is_told() {
        let mut component = b"\0asm\x0d\0\x01\0".to_vec();
        component.extend(section(1, &wat::parse_str("(module)").unwrap()));
        let error = give_back(&component).unwrap_err().to_string();
        assert!(error.contains("0 modules"), "{error}");
        push(&mut component, 0, b"\x01n");
        assert!(give_back(&component).is_err());
    }
}
