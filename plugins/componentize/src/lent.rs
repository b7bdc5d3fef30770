//! Gives a lent frame back at the end of a call, for a toolchain that does it too late.
//!
//! componentize-qjs (0.4.3 to 0.4.5) lets go of a borrowed handle with the rest of the call's context, in the function that
//! runs after the call has returned; the component model wants it before, and allows no call to the host after. The module
//! that exports `process` imports what drops a frame, so two functions are added: one that calls `process`, drops the frame
//! and remembers that it did, exported in the place of `process`; and one that drops any other frame, put into the table in
//! the place of what drops all.

use anyhow::{Context, Result, bail};
use wasmparser::{ElementItems, ExternalKind, Parser, Payload, TypeRef};

use super::sections::{self, leb128, unsigned};

const FRAMES: &str = "parshall:stage/frames@";
const DROP: &str = "[resource-drop]frame";
const TRANSFORM: &str = "parshall:stage/transform@";
const PROCESS: &str = "#process";

const FUNCTIONS: u8 = 3;
const GLOBALS: u8 = 6;
const EXPORTS: u8 = 7;
const ELEMENTS: u8 = 9;
const CODE: u8 = 10;

const IF: [u8; 2] = [0x04, 0x40];
const ELSE: u8 = 0x05;
const END: u8 = 0x0b;
const CALL: u8 = 0x10;
const LOCAL_GET: u8 = 0x20;
const GLOBAL_GET: u8 = 0x23;
const GLOBAL_SET: u8 = 0x24;
const I32_CONST: u8 = 0x41;
const I32_EQ: u8 = 0x46;
const I32: u8 = 0x7f;

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
    /// Index of the function exported as `process`, and its type's.
    process: u32,
    process_type: u32,
    /// The same of what drops a frame.
    drop: u32,
    drop_type: u32,
    /// Functions and globals that there are, imported ones included: the indices of the next.
    functions: u32,
    globals: u32,
    has_globals: bool,
    /// Where in the module a table is given `drop`: offset and length of its index.
    in_tables: Vec<(usize, usize)>,
}

fn lender(module: &[u8]) -> Result<Option<Lender>> {
    let (mut drop, mut process, mut imported, mut types) = (None, None, 0, Vec::new());
    let (mut globals, mut has_globals, mut in_tables) = (0, false, Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import?;
                    match import.ty {
                        TypeRef::Func(of) | TypeRef::FuncExact(of) => {
                            if import.module.starts_with(FRAMES) && import.name == DROP {
                                drop = Some((imported, of));
                            }
                            imported += 1;
                        }
                        TypeRef::Global(_) => globals += 1,
                        _ => {}
                    }
                }
            }
            Payload::FunctionSection(functions) => types = functions.into_iter().collect::<Result<Vec<u32>, _>>()?,
            Payload::GlobalSection(section) => {
                has_globals = true;
                globals += section.count();
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    if export.kind == ExternalKind::Func && export.name.starts_with(TRANSFORM) && export.name.ends_with(PROCESS) {
                        process = Some(export.index);
                    }
                }
            }
            Payload::ElementSection(elements) => {
                for element in elements {
                    let ElementItems::Functions(functions) = element?.items else { continue };
                    let mut found = functions.into_iter_with_offsets().collect::<Result<Vec<_>, _>>()?;
                    found.retain(|(_, function)| drop.is_some_and(|(drop, _)| *function == drop));
                    in_tables.extend(found.into_iter().map(|(offset, _)| offset));
                }
            }
            _ => {}
        }
    }
    let (Some((drop, drop_type)), Some(process)) = (drop, process) else { return Ok(None) };
    let defined = process.checked_sub(imported).context("`process` is an import")?;
    let process_type = *types.get(defined as usize).context("`process` has no type")?;
    let length = |offset: usize| Some((offset, module.len() - leb128(&module[offset..])?.1.len() - offset));
    let in_tables = in_tables.into_iter().filter_map(length).collect();
    let functions = imported + types.len() as u32;
    Ok(Some(Lender { process, process_type, drop, drop_type, functions, globals, has_globals, in_tables }))
}

// === impl Lender ===

impl Lender {
    fn mend(&self, module: &[u8]) -> Result<Vec<u8>> {
        let mut at = sections::PREAMBLE;
        sections::map(module, &mut |id, body| {
            // Where the body begins in the module: a section's number, its length, itself.
            let begins = at + 1 + unsigned_length(&module[at + 1..])?;
            at = begins + body.len();
            Ok(match id {
                FUNCTIONS => vec![(id, appended(body, &[&unsigned(self.process_type), &unsigned(self.drop_type)])?)],
                GLOBALS => vec![(id, appended(body, &[&lent()])?)],
                EXPORTS if !self.has_globals => vec![(GLOBALS, [unsigned(1), lent()].concat()), (id, self.exports(body)?)],
                EXPORTS => vec![(id, self.exports(body)?)],
                ELEMENTS => vec![(id, self.elements(body, begins))],
                CODE => vec![(id, appended(body, &[&function(&self.process_and_drop()), &function(&self.drop_others())])?)],
                _ => vec![(id, body.to_vec())],
            })
        })
    }

    /// `process(input, rows, frame)`, then `drop(frame)`; what `process` answered stays on the stack.
    fn process_and_drop(&self) -> Vec<u8> {
        let (process, drop, lent) = (unsigned(self.process), unsigned(self.drop), unsigned(self.globals));
        [
            &[LOCAL_GET, 0, LOCAL_GET, 1, LOCAL_GET, 2, CALL][..],
            &process,
            &[LOCAL_GET, 2, CALL],
            &drop,
            &[LOCAL_GET, 2, GLOBAL_SET],
            &lent,
            &[END],
        ]
        .concat()
    }

    /// `if frame == lent { lent = 0 } else { drop(frame) }`; no handle is 0.
    fn drop_others(&self) -> Vec<u8> {
        let (drop, lent) = (unsigned(self.drop), unsigned(self.globals));
        [
            &[LOCAL_GET, 0, GLOBAL_GET][..],
            &lent,
            &[I32_EQ],
            &IF,
            &[I32_CONST, 0, GLOBAL_SET],
            &lent,
            &[ELSE, LOCAL_GET, 0, CALL],
            &drop,
            &[END, END],
        ]
        .concat()
    }

    /// Tables that were given what drops every frame are given what drops the others.
    fn elements(&self, body: &[u8], begins: usize) -> Vec<u8> {
        let (mut rewritten, mut from) = (Vec::new(), 0);
        for (offset, length) in &self.in_tables {
            let at = offset - begins;
            rewritten.extend_from_slice(&body[from..at]);
            rewritten.extend(unsigned(self.functions + 1));
            from = at + length;
        }
        rewritten.extend_from_slice(&body[from..]);
        rewritten
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

/// A variable of 32 bits that is 0 at first: the frame that was given back.
fn lent() -> Vec<u8> {
    const MUTABLE: u8 = 1;
    vec![I32, MUTABLE, I32_CONST, 0, END]
}

/// A function without variables.
fn function(code: &[u8]) -> Vec<u8> {
    let mut function = unsigned(code.len() as u32 + 1);
    function.push(0);
    function.extend_from_slice(code);
    function
}

/// A vector's section with more items.
fn appended(body: &[u8], more: &[&[u8]]) -> Result<Vec<u8>> {
    let (count, items) = leb128(body).context("a section is cut off")?;
    Ok([&unsigned((count + more.len()) as u32), items, &more.concat()].concat())
}

fn unsigned_length(bytes: &[u8]) -> Result<usize> {
    let (_, rest) = leb128(bytes).context("a section is cut off")?;
    Ok(bytes.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sections::{push, section};

    const MODULE: &str = r#"
        (module
          (import "parshall:stage/frames@0.1.0" "[resource-drop]frame" (func (param i32)))
          (table 4 funcref)
          (elem (i32.const 1) func 2 0 1)
          (func (export "parshall:stage/transform@0.1.0#process") (param i32 i64 i32) (result i32) (local.get 0))
          (func (export "other") (param i32)))"#;

    /// Protects against a rewritten module that does not validate, or exports what it had before.
    #[test]
    fn the_export_is_the_added_function() {
        let module = wat::parse_str(MODULE).unwrap();
        let mended = lender(&module).unwrap().unwrap().mend(&module).unwrap();
        wasmparser::validate(&mended).unwrap();
        let lender = lender(&mended).unwrap().unwrap();
        assert_eq!((lender.process, lender.functions, lender.globals), (3, 5, 1));
        assert_eq!(lender.in_tables, [], "no table drops every frame");
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
