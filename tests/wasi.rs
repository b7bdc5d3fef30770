//! Components that use their language's standard library: what they print is logged, what they are granted works, and nothing
//! else does; whatever they wait for, they end in time.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use arrow::{
    array::{Int64Array, RecordBatch},
    datatypes::{DataType, Field, Schema},
};
use parshall::words::{
    blame::Blame,
    call::{Call, CallError, StageError},
    grants::Grants,
    limits::Limits,
    stage::{Component as _, Opening, Transformed},
};
use serde_json::{Value, json};

use crate::{binary, components};

/// Everything that a test of this file logs, as text.
#[derive(Clone, Default)]
pub struct Logs(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Logs {
    /// What is logged while `run` runs on this thread.
    pub fn of<T>(run: impl FnOnce() -> T) -> (T, Vec<String>) {
        let logs = Logs::default();
        let writer = logs.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).without_time().with_writer(move || writer.clone()).finish();
        let value = tracing::subscriber::with_default(subscriber, run);
        let text = String::from_utf8(logs.0.lock().unwrap().clone()).unwrap();
        (value, text.lines().filter(|line| line.contains(" guest: ")).map(|line| line.trim().to_owned()).collect())
    }
}

/// Twenty rows.
pub fn batch() -> Arc<RecordBatch> {
    let schema = Schema::new(vec![Field::new("n", DataType::Int64, true)]);
    Arc::new(RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int64Array::from_iter_values(0..20))]).unwrap())
}

/// What an instance of a test's guest is opened with.
pub fn opening(config: Value, grants: Grants, limits: Limits) -> Opening {
    Opening { limits, grants, ..components::opening(config, &[batch().schema()]) }
}

/// One call of `process`.
pub fn call(component: &str, opening: &Opening) -> Call<Transformed> {
    let (mut stage, _) = components::load(component).open_transform(opening).outcome.unwrap_or_else(|error| panic!("{error}"));
    stage.process(0, &batch())
}

/// What the guest found, which it tells as an error.
pub fn found(call: Call<Transformed>) -> String {
    match call.outcome {
        Err(CallError::Stage(StageError::Data(text))) => text,
        other => panic!("{other:?}"),
    }
}

/// Everything that `testing/outside` imports.
pub fn outside() -> Grants {
    let http = vec!["example.invalid".parse_authority()];
    Grants { clocks: true, random: true, http, ..Grants::default() }
}

/// Reads a granted server.
pub trait ParseAuthority {
    fn parse_authority(&self) -> parshall::words::authority::Authority;
}

impl ParseAuthority for str {
    fn parse_authority(&self) -> parshall::words::authority::Authority {
        parshall::words::authority::Authority::parse(self).unwrap()
    }
}

fn stdio(mode: &str) -> (Call<Transformed>, Vec<String>) {
    Logs::of(|| call("testing/stdio", &opening(json!({ "mode": mode }), Grants::default(), Limits::default())))
}

fn ask_outside(mode: &str, limits: Limits) -> Call<Transformed> {
    call("testing/outside", &opening(json!({ "mode": mode }), outside(), limits))
}

/// Protects the simplest of programs: it needs no grant to be loaded and to be heard.
#[test]
fn what_is_printed_becomes_log_records() {
    let (call, logs) = stdio("print");
    assert_eq!(call.outcome.unwrap().outputs.len(), 1);
    assert_eq!(
        logs,
        [
            r#"INFO guest: 20 rows came stage="under_test" stream="stdout""#,
            r#"WARN guest: one looks odd stage="under_test" stream="stderr""#,
            r#"INFO guest: and this line has no end stage="under_test" stream="stdout""#,
        ]
    );
    assert_eq!(call.usage.dropped, 0);
}

/// Protects the host's logs against being filled, torn or forged by a guest.
#[test]
fn printing_is_bounded() {
    let (call, logs) = stdio("flood");
    assert_eq!((logs.len(), call.usage.dropped), (100, 900));
    for mode in ["long-line", "no-newline"] {
        let (call, logs) = stdio(mode);
        assert!(call.outcome.is_ok());
        assert_eq!(logs.len(), 1, "{mode}");
        assert!(logs[0].contains('…') && logs[0].len() < 4_300, "{mode}: {}", logs[0].len());
    }
    let (_, logs) = stdio("forged");
    assert_eq!(logs, [r#"INFO guest: all is well  [31mERROR forged stage="under_test" stream="stdout""#]);
    let (call, logs) = stdio("bytes");
    assert!(call.outcome.is_ok() && logs[0].contains('\u{fffd}'));
}

/// Protects the author of a stage against a trap without a reason.
#[test]
fn a_panic_is_logged_with_its_message_and_reported_as_a_trap() {
    let (call, logs) = stdio("panic");
    let error = call.outcome.unwrap_err();
    assert_eq!((error.reason(), error.blame()), ("unreachable", Blame::Guest));
    assert!(logs.iter().any(|line| line.starts_with("WARN") && line.contains("no luck with 20 rows")), "{logs:?}");
    let error = stdio("exit").0.outcome.unwrap_err();
    assert_eq!(error.reason(), "exit");
}

/// Protects the host's secrets.
#[test]
fn of_the_environment_only_granted_variables_are_there() {
    assert_eq!(found(stdio("environment").0), " []");
    let grants = Grants { environment: vec!["PATH".into(), "PARSHALL_NOT_SET".into()], ..Grants::default() };
    let seen = found(call("testing/stdio", &opening(json!({"mode": "environment"}), grants, Limits::default())));
    assert_eq!(seen, format!("PATH={} []", std::env::var("PATH").unwrap()));
}

/// Protects the host's files and terminal.
#[test]
fn there_is_no_input_and_no_file() {
    assert_eq!(found(stdio("stdin").0), "Ok(0)");
    assert!(found(stdio("files").0).starts_with("Err("));
}

/// Protects against a capability that comes by itself.
#[test]
fn what_is_not_granted_is_refused_by_the_name_of_the_import() {
    let component = components::load("testing/outside");
    let refused = |grants: Grants| match component.open_transform(&opening(json!({}), grants, Limits::default())).outcome.map(drop) {
        Err(CallError::Ungranted { import, help }) => (import.split('@').next().unwrap().to_owned(), help),
        other => panic!("{other:?}"),
    };
    let (import, help) = refused(Grants { clocks: false, ..outside() });
    assert!(import.starts_with("wasi:clocks/"), "{import}");
    assert_eq!(help, "grant it with `grants = { clocks = true }`");
    assert!(refused(Grants { random: false, ..outside() }).0.starts_with("wasi:random/"));
    let (import, help) = refused(Grants { http: vec![], ..outside() });
    assert!(import.starts_with("wasi:http/"), "{import}");
    assert_eq!(help, "grant it with `grants = { http = [\"…\"] }`");
}

/// Protects against a component that uses what nobody granted when it is only looked at.
#[test]
fn a_component_that_describes_itself_has_neither_time_nor_chance() {
    let description = components::load("testing/outside").description().unwrap();
    assert_eq!(description.documentation, "0 s since 1970, [0, 0, 0, 0]");
}

#[test]
fn granted_clocks_and_random_numbers_are_real() {
    let time = found(ask_outside("time", Limits::default()));
    let (since, slept) = time.split_once(' ').unwrap();
    assert!(since.parse::<u64>().unwrap() > 1_700_000_000 && slept.parse::<u64>().unwrap() >= 20, "{time}");
    assert_eq!(found(ask_outside("random", Limits::default())), "true 4");
}

/// Protects a run against a guest that waits for what never comes: waiting ends like computing.
#[test]
fn whoever_waits_ends_at_the_deadline() {
    for mode in ["sleep", "block", "stuck-body"] {
        let started = Instant::now();
        let call = ask_outside(mode, Limits { timeout: Duration::from_millis(300), ..Limits::default() });
        assert_eq!(call.outcome.unwrap_err().reason(), "timeout", "{mode}");
        assert!(call.usage.host >= Duration::from_millis(250), "{mode}: waiting is the host's time: {:?}", call.usage);
        assert!(call.usage.guest < Duration::from_millis(100), "{mode}: and not the guest's: {:?}", call.usage);
        // Opening is in it, and the machine may be busy; an hour it is not.
        assert!(started.elapsed() < Duration::from_secs(20), "{mode}: {:?}", started.elapsed());
    }
}

/// Protects the host's memory.
#[test]
fn what_a_guest_hoards_is_bounded() {
    assert_eq!(ask_outside("hoard", Limits::default()).outcome.unwrap_err().reason(), "handles");
    assert_eq!(ask_outside("random-bomb", Limits::default()).outcome.unwrap_err().blame(), Blame::Guest);
}

/// Protects the terminal of whoever runs a pipeline: a guest's words reach it as log records or not at all.
#[test]
fn a_run_prints_nothing_of_a_guests_own() {
    let here = binary::folder();
    binary::pipeline(
        &here,
        &format!(
            "[extract.numbers]\ncomponent = \"{}\"\nconfig = {{ rows = 10, batch_rows = 10 }}\n\
             [transform.talks]\ninputs = [\"numbers\"]\ncomponent = \"{}\"\nconfig = {{ mode = \"print\" }}\n\
             [load.end]\ninputs = [\"talks\"]\ncomponent = \"std:write\"\nconfig = {{ to = \"out.csv\" }}\ngrants = {{ write = [\".\"] }}\n",
            components::path("testing/generate").display(),
            components::path("testing/stdio").display(),
        ),
    );
    let report = binary::run(here.path(), &["run", "pipeline.toml", "--report", "json", "--progress", "never"]).json();
    assert!(report.is_object());
}

#[test]
fn inspect_tells_what_must_be_granted() {
    let here = binary::folder();
    let path = components::path("testing/outside").canonicalize().unwrap();
    let told = binary::run(here.path(), &["inspect", path.to_str().unwrap()]).ok();
    assert!(told.contains("grant it with `grants = { clocks = true }`") && !told.contains("wasi:io/poll@0.2.12:"), "{told}");
    let told = binary::run(here.path(), &["inspect", "--json", path.to_str().unwrap()]).json();
    let needs = told["needs"].as_object().unwrap();
    assert!(needs.keys().all(|import| ["wasi:clocks/", "wasi:random/", "wasi:http/"].iter().any(|kind| import.starts_with(kind))));
    assert!(needs.len() >= 5, "{needs:?}");
}
