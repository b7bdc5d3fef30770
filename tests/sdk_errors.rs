//! What a stage's own mistakes say in languages that are not compiled: what, where, and what would have been right.

use std::{fs, path::Path};

use crate::binary::{folder, project, run};

/// Whether a tool of a language is on the path or among Parshall's own.
pub fn has(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = std::env::var_os("PARSHALL_TOOLS").map(|tools| Path::new(&tools).join("bin"));
    let there = std::env::split_paths(&path).chain(own).any(|folder| folder.join(tool).is_file());
    if !there {
        eprintln!("no {tool} is here: plugins/languages/install");
    }
    there
}

/// Builds a project of this source, and answers what each of the configurations leads to.
fn tried(language: &str, file: &str, source: &str, configs: &[&str]) -> String {
    let here = folder();
    run(here.path(), &["new", "wrong", "--lang", language]).ok();
    let stage = here.path().join("wrong");
    fs::write(stage.join(file), source).unwrap();
    run(here.path(), &["build", "wrong"]).ok();
    fs::remove_dir_all(stage.join("tests")).unwrap();
    for config in configs {
        let (mode, more) = config.split_once(',').unwrap_or((config, ""));
        let case = stage.join("tests").join(mode);
        fs::create_dir_all(&case).unwrap();
        fs::copy(project("plugins/languages/test/doubles/input.csv"), case.join("input.csv")).unwrap();
        fs::write(case.join("case.toml"), format!("config = {{ mode = \"{mode}\", {more} }}\n")).unwrap();
    }
    let ran = run(&stage, &["test"]);
    assert_eq!(ran.code(), 1, "{}", ran.err());
    ran.out()
}

fn all_are_in(told: &str, wanted: &[&str]) {
    wanted.iter().for_each(|wanted| assert!(told.contains(wanted), "`{wanted}` is not in:\n{told}"));
}

/// Protects whoever writes Python from a defect without a place, and from values that do not fit and are told of as something else.
#[test]
fn a_stage_in_python_says_what_is_wrong_and_where() {
    if !has("componentize-py") {
        return;
    }
    let source = r#"from array import array
import parshall

@parshall.transform(name="wrong", version="0.1.0", summary="Goes wrong")
class Wrong:
    mode: str
    column: str = "n"

    def open(self, inputs):
        inputs[0].schema.index(self.column, "gu" if self.mode == "type" else "l", "/column")

    def inner(self):
        return [].index(3)

    def process(self, frame):
        if self.mode == "defect":
            self.inner()
        if self.mode == "cause":
            try:
                self.inner()
            except ValueError as error:
                raise KeyError("k") from error
        if self.mode == "name":
            frame["m"]
        if self.mode == "index":
            frame.columns(99)
        values = {"overflow": [1, None, 2**63], "array": array("d", [1, 2, 3]), "good": [4, None, 6]}
        return frame.out().replace("n", values[self.mode])
"#;
    let told = tried(
        "python",
        "stage.py",
        source,
        &["type", "column,column = \"pric\"", "defect", "cause", "name", "index", "overflow", "array", "good"],
    );
    all_are_in(
        &told,
        &[
            "schema: column `n`: expected float64 (g) or utf8 (u), found int64 (l)",
            "config at \"/column\": there is no column `pric`",
            "internal: ValueError: list.index(x): x not in list, at stage.py:13 (inner), called at stage.py:17 (process)",
            "internal: KeyError: 'k', at stage.py:22 (process); it came of ValueError: list.index(x): x not in list, at stage.py:13 (inner)",
            "schema: column `m`: there is no such column; the columns are `n`, `label`",
            "IndexError: there is no column 99: there are 2, from 0 on, at stage.py:26 (process)",
            "column \"n\", row 2: 9223372036854775808 does not fit int64 (l), which goes from -9223372036854775808 to 9223372036854775807",
            "column \"n\": expected a list, or an array of int64 (l), found values of the format 'd'",
            "  4,one\n  ,none\n  6,other\n",
        ],
    );
}

/// Protects the same of JavaScript, where anything can be thrown.
#[test]
fn a_stage_in_javascript_says_what_is_wrong_and_where() {
    if !has("componentize-qjs") {
        return;
    }
    let source = r"import * as parshall from './parshall.js';
function inner() { return null.x; }
export const transform = parshall.transform({
  name: 'wrong', version: '0.1.0', summary: 'Goes wrong',
  configSchema: { required: ['mode'], properties: { mode: { type: 'string' }, column: { type: 'string', default: 'n' } } },
  open({ mode, column }, inputs) {
    this.mode = mode;
    inputs[0].schema.index(column, mode === 'type' ? 'gu' : 'l', '/column');
  },
  process(frame) {
    switch (this.mode) {
      case 'defect': return inner();
      case 'cause': try { return inner(); } catch (cause) { throw new Error('outer', { cause }); }
      case 'object': throw { a: 1n, b: 'x' };
      case 'name': return frame.read('m');
      case 'index': return frame.read(99);
      case 'array': return frame.out().replace('n', new Float64Array(frame.rows));
    }
  },
});
";
    let told = tried(
        "javascript",
        "stage.js",
        source,
        &["type", "column,column = \"pric\"", "defect", "cause", "object", "name", "index", "array"],
    );
    all_are_in(
        &told,
        &[
            "schema: column `n`: expected float64 (g) or utf8 (u), found int64 (l)",
            "config at \"/column\": there is no column `pric`",
            "internal: TypeError: cannot read property 'x' of null, at stage.js:2 (inner), called at stage.js:12 (process)",
            "internal: Error: outer; it came of TypeError: cannot read property 'x' of null, at stage.js:13 (process)",
            "internal: thrown: {\"a\":\"1n\",\"b\":\"x\"}",
            "schema: column `m`: there is no such column; the columns are `n`, `label`",
            "RangeError: there is no column 99: there are 2, from 0 on, at stage.js:16 (process)",
            "TypeError: column \"n\": expected a BigInt64Array for int64 (l), found a Float64Array, at stage.js:17 (process)",
        ],
    );
}
