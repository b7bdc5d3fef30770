//! The guard of the host's per-call path: instructions of a call, counted by valgrind's callgrind, beside golden numbers.
//!
//! Cost model: a call of a stage, with everything metered, measured and recorded, is a certain number of instructions, whoever else uses
//! the machine. Two processes make a different number of calls; the difference of their instructions, divided by that of their calls, is
//! one call: starting up cancels. Only the thread that makes the calls is counted. The guest's instructions are in it; with one row they
//! are some thousands, and those of the host the rest.
//!
//! `cargo bench --bench guard` compares with `tests/golden/instructions.txt` and fails at 3 % and more. Then it puts work into every call on
//! purpose, as much as 200 ns of code like this are, and fails if that is not found. `UPDATE_GOLDEN=1` writes the numbers anew. They are those of this program's
//! release profile, of the toolchain in it, and of the processor that valgrind shows to programs.

#[path = "work.rs"]
mod work;

use std::{
    fmt::Write as _,
    fs,
    hint::black_box,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    sync::Arc,
};

use parshall::{
    bench::{
        Arm, batches,
        watch::{Layers, Spans, Watch},
    },
    measure::{Random, median},
    words::stage::Component,
};

use self::work::Work;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the process that is counted shall do: the work, how many calls, how much is put in on purpose.
const CALLS: &str = "PARSHALL_GUARD_CALLS";
/// Calls of the two processes: less than a buffer of spans takes, so that nobody is woken up.
const FEW: u64 = 200;
const MANY: u64 = 1_200;
/// What counts and toolchains jitter by: some of what a call does depends on how long it took, which is another time every time. The median of
/// three differs by a percent.
const TOLERANCE: f64 = 0.03;
/// Turns of work that are put into every call on purpose: some 600 instructions, which are 200 ns where they wait for memory as those
/// around them do, and less where they do not.
const ON_PURPOSE: u64 = 28;
const WORKS: [Work; 3] = [Work::Noop, Work::Filter, Work::Derive];

fn main() -> ExitCode {
    // `cargo test --benches` asks benches whether they run, not what they measure.
    if std::env::args().any(|argument| argument == "--test") {
        return ExitCode::SUCCESS;
    }
    match std::env::var(CALLS) {
        Ok(told) => {
            let told: Vec<&str> = told.split(' ').collect();
            let work = WORKS.into_iter().find(|work| work.name() == told[0]).expect("a known work");
            be_counted(work, told[1].parse().expect("a number"), told[2].parse().expect("a number"));
            ExitCode::SUCCESS
        }
        Err(_) => judge(),
    }
}

/// So many calls, with everything on, and so much work put into each on purpose.
fn be_counted(work: Work, calls: u64, extra: u64) {
    let rows = work::batch(1);
    let component: Arc<dyn Component> = Arc::new(work::load(&work::runtime(Default::default()), work.component()));
    let opening = work.opening(&rows.schema());
    let layers = Layers { spans: Some(Spans::sampled(1.0)), metrics: true };
    let watch = Watch::start(work.facts(&rows.schema()), &layers).expect("it starts");
    let mut arm = Arm::open(component, &opening, &watch).expect("it opens");
    let batches = batches(&[vec![rows]], 1).expect("rows").expect("a row");
    for _ in 0..calls {
        arm.call(&batches).expect("it answers");
        put_in(extra);
    }
    // What becomes of the spans is not this thread's, and not what is counted.
    std::process::exit(0);
}

/// Work that nothing can leave out.
fn put_in(extra: u64) {
    let mut random = Random::seeded(black_box(1));
    (0..extra).for_each(|_| _ = black_box(random.number()));
}

fn judge() -> ExitCode {
    if let Err(why) = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status() {
        println!("skipped: instructions are counted by valgrind, which cannot be run here: {why}");
        return ExitCode::SUCCESS;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let golden = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden/instructions.txt"));
    let counted = WORKS.map(|work| (work, instructions(work, 0, folder.path())));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let mut text = String::new();
        counted.iter().for_each(|(work, count)| _ = writeln!(text, "{}: {count:.0}", work.name()));
        fs::write(&golden, text).expect("the golden file is written");
    }
    let known = fs::read_to_string(&golden).unwrap_or_default();
    let mut failed = false;
    for (work, count) in counted {
        let Some(was) = pinned(&known, work) else {
            println!("{}: {count:.0} instructions a call, and no golden number: UPDATE_GOLDEN=1 writes it", work.name());
            failed = true;
            continue;
        };
        let ends = verdict(count, was);
        failed |= ends.is_err();
        println!("{}: {}", work.name(), ends.unwrap_or_else(|told| told));
    }
    let slower = instructions(WORKS[0], ON_PURPOSE, folder.path());
    match verdict(slower, pinned(&known, WORKS[0]).unwrap_or(f64::MAX)) {
        Err(told) => println!("600 instructions put into every call on purpose are found: {}", told.trim_start_matches("FAILED: ")),
        Ok(told) => {
            println!("FAILED: 600 instructions put into every call on purpose are not found: {told}");
            failed = true;
        }
    }
    if failed {
        println!("If the change is meant: UPDATE_GOLDEN=1 cargo bench --bench guard, and say why in the commit.");
    }
    ExitCode::from(u8::from(failed))
}

fn pinned(golden: &str, work: Work) -> Option<f64> {
    golden.lines().find_map(|line| line.strip_prefix(work.name())?.strip_prefix(": ")?.parse().ok())
}

/// A count beside what it was; an error if it is more by the tolerance. Less is told, and no error.
fn verdict(count: f64, was: f64) -> Result<String, String> {
    let told = format!("{count:.0} instructions a call, {:+.2} % of {was:.0}", 100.0 * (count / was - 1.0));
    match count / was - 1.0 {
        more if more > TOLERANCE => Err(format!("FAILED: {told}, more than {:.0} %", 100.0 * TOLERANCE)),
        less if less < -TOLERANCE => Ok(format!("{told}: better, and worth pinning (UPDATE_GOLDEN=1)")),
        _ => Ok(told),
    }
}

/// Instructions of one call.
fn instructions(work: Work, extra: u64, folder: &Path) -> f64 {
    // What is compiled for the processor that valgrind shows is compiled, and kept, before anything is counted.
    run(work, 1, extra, &["--tool=none"]);
    let count = |calls: u64| {
        let file = folder.join(format!("{}-{calls}-{extra}", work.name()));
        run(work, calls, extra, &["--tool=callgrind", "--separate-threads=yes", &format!("--callgrind-out-file={}", file.display())]);
        // The first thread is the one that makes the calls.
        let first = file.with_file_name(format!("{}-01", file.file_name().unwrap_or_default().to_string_lossy()));
        let text = fs::read_to_string(&first).unwrap_or_else(|error| panic!("{}: {error}", first.display()));
        let total = text.lines().rev().find_map(|line| line.strip_prefix("totals: ")).and_then(|total| total.trim().parse::<f64>().ok());
        total.unwrap_or_else(|| panic!("{} has no totals", first.display()))
    };
    let of_one = || (count(MANY) - count(FEW)) / (MANY - FEW) as f64;
    median(&mut [of_one(), of_one(), of_one()])
}

fn run(work: Work, calls: u64, extra: u64, arguments: &[&str]) {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new("valgrind");
    command.arg("-q").args(arguments).arg(program).env(CALLS, format!("{} {calls} {extra}", work.name()));
    let output = command.output().expect("valgrind runs");
    assert!(output.status.success(), "valgrind {arguments:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
}
