//! `parshall test`: a project's cases, in the real host.

use std::path::{Path, PathBuf};

use comfy_table::Table;
use serde_json::{Value, json};

use super::{Exit, When, amount, dev::sources, doing::Doing, exit, session, summary::RULED};
use crate::{
    pipeline::plan::ComponentRef,
    project::{self, Difference, Manifest, Tried, Update, Wrong},
    tables::NativeTables,
    words::shown::shown,
};

/// Arguments of `parshall test`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The project's folder.
    #[arg(value_name = "FOLDER", default_value = ".", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
    /// The component to test, instead of build/NAME.wasm: `std:NAME`, or a path.
    #[arg(long, value_name = "COMPONENT")]
    component: Option<String>,
    /// The folder of cases, instead of FOLDER/tests.
    #[arg(long, value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    cases: Option<PathBuf>,
    /// Write what came as what is expected.
    #[arg(long)]
    update: bool,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
    /// Say on standard error what takes its time.
    #[arg(long, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    progress: When,
}

/// So many lines that differ are shown of a file.
const SHOWN: usize = 20;

/// Tries the cases of a project on what was built of it.
pub fn cases(folder: &Path, progress: When) -> Result<(), Exit> {
    test(&Arguments { folder: folder.to_owned(), component: None, cases: None, update: false, json: false, progress })
}

/// Tests it. A case that fails is exit code 1.
pub fn test(arguments: &Arguments) -> Result<(), Exit> {
    let reference = component(arguments)?;
    if let (None, ComponentRef::Path(path)) = (&arguments.component, &reference)
        && let Some(source) = sources::newer(&arguments.folder, path)
    {
        let (source, path) = (source.display(), path.display());
        exit::tell(format_args!("warning: {source} is newer than {path}, which is what is tested; parshall build makes it anew"));
    }
    let doing = Doing::quietly(arguments.progress, &format!("compiling {reference}"));
    let component = session::component(&session::catalog()?, &reference)?;
    drop(doing);
    let folder = arguments.cases.clone().unwrap_or_else(|| arguments.folder.join("tests"));
    let update = if arguments.update { Update::Yes } else { Update::No };
    let tables = NativeTables::default();
    let cases = project::cases(&folder).map_err(Exit::Wrong)?;
    let tried =
        cases.iter().map(|case| project::attempt(case, &component, &tables, update)).collect::<Result<Vec<_>, _>>().map_err(Exit::Wrong)?;
    let failed = tried.iter().filter(|tried| !tried.passed()).count();
    if arguments.json {
        let documents: Vec<_> = tried.iter().map(document).collect();
        exit::print(&(serde_json::to_string_pretty(&documents).map_err(anyhow::Error::from)? + "\n"))?;
    } else {
        exit::print(&text(&tried))?;
    }
    if failed == 0 { Ok(()) } else { Err(Exit::Failed) }
}

fn component(arguments: &Arguments) -> Result<ComponentRef, Exit> {
    Ok(match &arguments.component {
        Some(name) => session::reference(name)?,
        None => {
            let manifest = Manifest::load(&arguments.folder).map_err(Exit::Wrong)?;
            ComponentRef::Path(shown(&arguments.folder.join(manifest.component())))
        }
    })
}

fn text(tried: &[Tried]) -> String {
    let mut table = Table::new();
    table.load_style(RULED);
    table.set_header(["case", "", "calls", "fuel", "memory", "time"]);
    for case in tried {
        table.add_row([
            case.name.clone(),
            if case.passed() { "ok".into() } else { "FAILED".into() },
            amount::count(case.calls as u64),
            amount::short(case.fuel),
            amount::bytes(case.memory),
            amount::seconds(case.took.as_secs_f64()),
        ]);
    }
    let mut text: String = table.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
    for case in tried {
        text.push_str(&complaints(case));
    }
    let failed = tried.iter().filter(|case| !case.passed()).count();
    text + &format!("{} passed, {failed} failed\n", tried.len() - failed)
}

fn complaints(case: &Tried) -> String {
    let mut text = String::new();
    for wrong in &case.wrong {
        text.push_str(&format!("\n{}: {}\n", case.name, difference(wrong)));
    }
    for ceiling in &case.over {
        text.push_str(&format!(
            "\n{}: {} of {} went over the ceiling of {}\n",
            case.name,
            ceiling.of,
            amount::count(ceiling.used),
            amount::count(ceiling.allowed)
        ));
    }
    for file in &case.written {
        text.push_str(&format!("{}: wrote {}\n", case.name, shown(file).display()));
    }
    text
}

/// What a file expects and what came, and what makes the one the other. A file that is not there is not spoken of as if it were.
fn difference(wrong: &Wrong) -> String {
    let Wrong { file, there, came, lines } = wrong;
    let only = |side: fn(&Difference) -> &Option<String>| {
        let lines = lines.iter().take(SHOWN).filter_map(|line| side(line).as_deref());
        lines.map(|line| format!("  {line}\n")).collect::<String>()
    };
    let (what, shown) = match (file.as_str(), there, came) {
        ("error.txt", false, _) => ("an error came, and the case expects none".to_owned(), only(|line| &line.came)),
        ("rejected.csv", false, _) => ("rows were rejected, and the case expects none".to_owned(), only(|line| &line.came)),
        (_, false, _) => (format!("rows came that the case does not speak of, as it has no {file}"), only(|line| &line.came)),
        ("error.txt", true, false) => ("an error is expected by error.txt, and none came".to_owned(), only(|line| &line.expected)),
        ("rejected.csv", true, false) => {
            ("rejected rows are expected by rejected.csv, and none came".to_owned(), only(|line| &line.expected))
        }
        _ => (format!("{file} is not what came"), beside(lines)),
    };
    let more = lines.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("… and {more} more lines\n") } else { String::new() };
    let done = if *there && !came { format!("takes {file} away") } else { format!("writes it to {file}") };
    format!("{what}\n{shown}{more}  = help: if that is right, `parshall test --update` {done}")
}

/// Lines that differ, side by side.
fn beside(lines: &[Difference]) -> String {
    let mut table = Table::new();
    table.load_style(RULED);
    table.set_header(["line", "expected", "came"]);
    let shown = |line: &Option<String>| line.clone().unwrap_or_else(|| "(nothing)".into());
    for difference in lines.iter().take(SHOWN) {
        table.add_row([difference.line.to_string(), shown(&difference.expected), shown(&difference.came)]);
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn document(case: &Tried) -> Value {
    let differences = case.wrong.iter().map(|Wrong { file, there, lines, .. }| {
        let lines = lines.iter().map(|line| json!({ "line": line.line, "expected": line.expected, "came": line.came }));
        json!({ "file": file, "there": there, "lines": lines.collect::<Vec<_>>() })
    });
    json!({
        "case": case.name,
        "passed": case.passed(),
        "calls": case.calls,
        "fuel": case.fuel,
        "memory": case.memory,
        "seconds": case.took.as_secs_f64(),
        "differences": differences.collect::<Vec<_>>(),
        "over": case.over.iter().map(|ceiling| json!({ "of": ceiling.of, "allowed": ceiling.allowed, "used": ceiling.used })).collect::<Vec<_>>(),
    })
}
