//! Hostile guests of all three worlds, written by hand (`guests/README.md`): loops in every export, what the canonical ABI can be told
//! that is not so, handles that are not there, floods, and more than every limit allows.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use arrow::{
    array::{Int64Array, RecordBatch},
    datatypes::{DataType, Field, Schema},
};
use parshall::{
    tables::NativeTables,
    wasm::{Cache, LoadError, Runtime, WasmComponent},
    words::{
        blame::Blame,
        call::{Call, CallError},
        grants::{Grants, Place},
        limits::Limits,
        stage::{Component as _, Input, Kind, Opening},
    },
};
use serde_json::json;

use crate::binary::project;

/// A guest's file, read.
struct Guest {
    /// `transform/open_loops`.
    name: String,
    kind: Kind,
    text: String,
    /// Where it shows, and by which reason; `never` and nothing where it does not.
    shows: (String, String),
    /// The other words of its head.
    words: Vec<String>,
}

/// What came of running it.
#[derive(Debug)]
struct Outcome {
    when: &'static str,
    error: Option<CallError>,
    dropped: u64,
}

/// Every guest there is, by the files.
fn guests() -> Vec<Guest> {
    let folder = project("tests/hostile/guests");
    let mut guests = Vec::new();
    for (kind, world) in [(Kind::Extract, "extract"), (Kind::Transform, "transform"), (Kind::Load, "load")] {
        let mut files: Vec<PathBuf> = fs::read_dir(folder.join(world)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        guests.extend(files.iter().map(|file| read(kind, world, file)));
    }
    guests
}

fn read(kind: Kind, world: &str, file: &Path) -> Guest {
    let text = fs::read_to_string(file).unwrap();
    let name = format!("{world}/{}", file.file_stem().unwrap().to_str().unwrap());
    let mut head = text.lines().take_while(|line| line.starts_with(";; ")).skip(1).map(|line| line[3..].to_owned());
    let shows = head.next().and_then(|line| line.strip_prefix("shows: ").map(str::to_owned));
    let shows = shows.unwrap_or_else(|| panic!("{name}: the second line says where it shows"));
    let (when, reason) = shows.split_once(' ').unwrap_or((&shows, ""));
    let (shows, words) = ((when.to_owned(), reason.to_owned()), head.collect());
    Guest { name, kind, shows, words, text }
}

// === impl Guest ===

impl Guest {
    fn says(&self, word: &str) -> bool {
        self.words.iter().any(|said| said == word)
    }

    /// The component that it is: what it does not define is `base.wat`'s.
    fn component(&self) -> Vec<u8> {
        let world = self.kind.to_string();
        let base = fs::read_to_string(project("tests/hostile/guests/base.wat")).unwrap();
        let interface = format!("parshall:stage/{world}@0.1.0");
        let (mut imports, mut rest) = (String::new(), String::new());
        for part in base.split(";; part ").skip(1) {
            let (title, body) = part.split_once('\n').unwrap();
            let (only, what) = title.split_once(' ').unwrap_or(("", title));
            let defined = match what {
                "memory" => self.text.contains("(export \"memory\")"),
                "cabi_realloc" => self.text.contains("(export \"cabi_realloc\")"),
                export if export.starts_with('#') => self.text.contains(&format!("(export \"{interface}{export}\")")),
                _ => false,
            };
            match what {
                "frames" => imports.push_str(body),
                _ if defined || !(only.is_empty() || only == world) => {}
                _ => rest.push_str(&body.replace("INTERFACE", &interface)),
            }
        }
        // Of data at one place the last counts: the guest's own comes after the base's. Imports come first, the first memory is ours.
        let own = self.text.lines().filter(|line| line.starts_with("(import"));
        let body: Vec<&str> = self.text.lines().filter(|line| !line.starts_with("(import")).collect();
        let text = format!("(module\n{imports}{}\n{rest}\n{}\n)", own.collect::<Vec<_>>().join("\n"), body.join("\n"));
        let core = wat::parse_str(&text).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let files = fs::read_dir(project("wit")).unwrap().map(|entry| entry.unwrap().path());
        let wit: Vec<_> = files.map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap())).collect();
        let wit: Vec<_> = wit.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let (resolve, package) = componentize::wit::package(&wit).unwrap();
        let world = if self.kind == Kind::Extract { "extractor".to_owned() } else { format!("{world}er") };
        componentize::encode(&core, &resolve, package, &world).unwrap_or_else(|error| panic!("{}: {error:#}", self.name))
    }

    fn load(&self, runtime: &Runtime) -> WasmComponent {
        runtime.load(&self.component()).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    fn opening(&self, base: &Path) -> Opening {
        let limits = Limits {
            fuel: 50_000_000,
            memory: 16 << 20,
            output_bytes: 8 << 20,
            output_rows: 1 << 20,
            read_bytes: 8 << 20,
            rejections: 1_000,
            finish_calls: 100,
            snapshot: 4 << 20,
            state: 64 << 10,
            ..Limits::default()
        };
        let limits = match self.says("deadline") {
            true => Limits { fuel: u64::MAX / 2, timeout: Duration::from_millis(200), ..limits },
            false => limits,
        };
        let read = vec![Place::Path(base.join("granted"))];
        let grants = match self.says("nothing granted") {
            true => Grants::default(),
            false => Grants { telemetry: true, state: true, read, base: base.to_owned(), ..Grants::default() },
        };
        let input = Input { name: "in".into(), schema: batch().schema() };
        let inputs = if self.kind == Kind::Extract { Vec::new() } else { vec![input] };
        Opening { stage: self.name.clone(), config: json!({}), inputs, limits, grants, restore: None }
    }
}

fn batch() -> Arc<RecordBatch> {
    let schema = Schema::new(vec![Field::new("n", DataType::Int64, true)]);
    Arc::new(RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int64Array::from_iter_values(0..20))]).unwrap())
}

/// A call, and one more where it failed: a poisoned instance is never called again.
struct Calls {
    guest: String,
    outcome: Outcome,
}

impl Calls {
    /// Whether to go on.
    fn call<T>(&mut self, when: &'static str, mut call: impl FnMut() -> Call<T>) -> Option<T> {
        if self.outcome.error.is_some() {
            return None;
        }
        let said = call();
        self.outcome.dropped += said.usage.dropped;
        match said.outcome {
            Ok(value) => Some(value),
            Err(error) => {
                let harmless = matches!(error, CallError::Stage(_) | CallError::Limit { limit: "snapshot", .. });
                let again = call().outcome.err().map(|error| error.reason());
                assert!(harmless || when == "open" || again == Some("poisoned"), "{}: called again after {error}: {again:?}", self.guest);
                self.outcome = Outcome { when, error: Some(error), ..self.outcome };
                None
            }
        }
    }
}

/// Runs a guest through its life, until something happens.
fn run(guest: &Guest, component: &WasmComponent, base: &Path) -> Outcome {
    let opening = guest.opening(base);
    let outcome = |when, error| Outcome { when, error, dropped: 0 };
    if let Err(error) = component.description() {
        return outcome("describe", Some(error));
    }
    let mut calls = Calls { guest: guest.name.clone(), outcome: outcome("never", None) };
    match guest.kind {
        Kind::Extract => {
            if let Some((mut stage, _)) = calls.call("open", || component.open_extract(&opening)) {
                (0..3).for_each(|_| drop(calls.call("next", || stage.next())));
            }
        }
        Kind::Transform => {
            if let Some((mut stage, _)) = calls.call("open", || component.open_transform(&opening)) {
                (0..2).for_each(|_| drop(calls.call("process", || stage.process(0, &batch()))));
                calls.call("snapshot", || stage.snapshot());
                (0..200).for_each(|_| drop(calls.call("finish", || stage.finish())));
            }
        }
        Kind::Load => {
            if let Some(mut stage) = calls.call("open", || component.open_load(&opening)) {
                (0..2).for_each(|_| drop(calls.call("write", || stage.write(0, &batch()))));
                calls.call("snapshot", || stage.snapshot());
                calls.call("commit", || stage.commit(true));
            }
        }
    }
    calls.outcome
}

/// A folder with a file that is granted and one that is not.
fn folder() -> tempfile::TempDir {
    let base = tempfile::tempdir().unwrap();
    fs::create_dir(base.path().join("granted")).unwrap();
    fs::write(base.path().join("secret.csv"), "a\n1\n").unwrap();
    base
}

fn runtime() -> Runtime {
    Runtime::new(Cache::off(), Arc::new(NativeTables::new())).unwrap()
}

#[test]
fn every_written_guest_is_contained_and_blamed() {
    let (runtime, base) = (runtime(), folder());
    let (guests, mut ran, mut surprises) = (guests(), BTreeMap::new(), Vec::new());
    let good =
        Guest { text: String::new(), ..read(Kind::Transform, "transform", &project("tests/hostile/guests/transform/finish_traps.wat")) };
    let good = good.load(&runtime);
    for guest in &guests {
        let (mut neighbour, _) = good.open_transform(&guest.opening(base.path())).outcome.unwrap();
        let outcome = run(guest, &guest.load(&runtime), base.path());
        let reason = outcome.error.as_ref().map_or("", CallError::reason);
        if (outcome.when, reason) != (guest.shows.0.as_str(), guest.shows.1.as_str()) || guest.says("dropped") != (outcome.dropped > 0) {
            surprises.push(format!("{}: expected {:?}, came {outcome:?}", guest.name, guest.shows));
        }
        if let Some(error) = &outcome.error {
            let blame = match error {
                CallError::Ungranted { .. } => Blame::Pipeline,
                CallError::Stage(_) => Blame::Data,
                _ => Blame::Guest,
            };
            assert_eq!(error.blame(), blame, "{}: {error}", guest.name);
            let length = error.to_string().len();
            assert!(length < 17 << 10, "{}: a message of {length} bytes", guest.name);
        }
        assert!(neighbour.process(0, &batch()).outcome.is_ok(), "a neighbour of {} works on", guest.name);
        ran.insert(guest.name.clone(), reason.to_owned());
    }
    assert!(surprises.is_empty(), "not as written:\n{}", surprises.join("\n"));
    let files = guests.iter().map(|guest| guest.name.clone()).collect::<Vec<_>>();
    assert!(files.len() >= 70 && files.iter().all(|file| ran.contains_key(file)), "every guest has run: {} of {}", ran.len(), files.len());
}

/// Protects against files that are not what they are called.
#[test]
fn what_is_no_component_of_a_stage_is_refused_by_kind() {
    let runtime = runtime();
    let guests = guests();
    let whole = guests.iter().find(|guest| guest.name == "transform/finish_traps").unwrap().component();
    let refused = |bytes: &[u8]| runtime.load(bytes).map(drop).unwrap_err();
    for length in (0..whole.len()).step_by(7) {
        let error = refused(&whole[..length]);
        assert!(matches!(error, LoadError::NotWasm | LoadError::Invalid(_) | LoadError::NoStage { .. }), "{length} bytes: {error}");
    }
    assert!(matches!(refused(b"PK\x03\x04 not this"), LoadError::NotWasm));
    assert!(matches!(refused(b"\0asm\x01\0\0\0"), LoadError::CoreModule));
    assert!(matches!(refused(b"\0asm\x0d\0\x01\0"), LoadError::NoStage { .. }), "a component of nothing");
    assert!(matches!(refused(b"\0asm\x0d\0\x02\0"), LoadError::Invalid(_)), "a later layer");
    // The same component, of a later version of the contract: its names are as long.
    let mut later = whole.clone();
    for at in 0..later.len() - 6 {
        if later[at..].starts_with(b"@0.1.0") {
            later[at..at + 6].copy_from_slice(b"@0.2.0");
        }
    }
    let error = refused(&later);
    assert!(matches!(&error, LoadError::OtherVersion { kind: Kind::Transform, version } if version == "0.2.0"), "{error}");
    let told = "it was made for version 0.2.0 of the contract (parshall:stage/transform), and this parshall speaks 0.1.0: build it against";
    assert!(error.to_string().starts_with(told), "{error}");
    // Damage anywhere is a refusal or another component, never a panic.
    for at in (8..whole.len()).step_by(11) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        let _ = runtime.load(&damaged);
    }
}

/// Protects whoever writes a stage without an SDK against guessing what is missing in it, and a component that is two stages against being
/// taken for one of them.
#[test]
fn what_is_half_a_stage_or_two_is_told() {
    let stage = |kinds: &[&str]| {
        // A component with an instance of nothing (section 5), exported by these names (section 11).
        let export = |kind: &&str| {
            let name = format!("parshall:stage/{kind}@0.1.0");
            [&[0, name.len() as u8], name.as_bytes(), &[5, 0, 0]].concat()
        };
        let exports: Vec<u8> = std::iter::once(kinds.len() as u8).chain(kinds.iter().flat_map(export)).collect();
        let size = u8::try_from(exports.len()).ok().filter(|size| *size < 128).expect("one byte of LEB128");
        runtime().load(&[b"\0asm\x0d\0\x01\0", &[5, 3, 1, 1, 0, 11, size][..], &exports].concat())
    };
    for kind in ["extract", "transform", "load"] {
        let error = stage(&[kind]).map(drop).unwrap_err();
        let told = format!("it is half of a stage: parshall:stage/{kind}@0.1.0 is exported without `describe`, `open`, ");
        assert!(matches!(error, LoadError::Half { .. }) && error.to_string().starts_with(&told), "{error}");
    }
    let error = stage(&["transform", "load"]).map(drop).unwrap_err();
    assert!(matches!(error, LoadError::SeveralKinds), "{error}");
    assert_eq!(error.to_string(), "it exports several of `extract`, `transform` and `load`; a stage is one of them");
}

/// How much of the machine this process holds: resident bytes and open files.
fn held() -> (u64, usize) {
    let pages: u64 = fs::read_to_string("/proc/self/statm").unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    (pages * 4096, fs::read_dir("/proc/self/fd").unwrap().count())
}

/// Run by the test below, in a process of its own.
#[test]
#[ignore = "run by what_guests_took_is_given_back"]
fn rounds() {
    let (runtime, base) = (runtime(), folder());
    let guests: Vec<_> = guests().into_iter().filter(|guest| !guest.says("deadline")).collect();
    let components: Vec<_> = guests.iter().map(|guest| guest.load(&runtime)).collect();
    let round = || guests.iter().zip(&components).for_each(|(guest, component)| drop(run(guest, component, base.path())));
    (0..2).for_each(|_| round());
    let before = held();
    (0..8).for_each(|_| round());
    let after = held();
    println!("resident and open files: {before:?} before, {after:?} after 8 rounds of {} guests", guests.len());
    assert_eq!(before.1, after.1, "open files");
    assert!(after.0 < before.0 + (48 << 20), "resident bytes: {} before, {} after", before.0, after.0);
}

/// Protects a host that runs for months: whatever guests do, memory and open files return to where they were.
#[cfg(target_os = "linux")]
#[test]
fn what_guests_took_is_given_back() {
    let mut own = std::process::Command::new(std::env::current_exe().unwrap());
    let ran = own.args(["hostile::written::rounds", "--exact", "--ignored", "--nocapture"]).output().unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && told.contains("1 passed"), "{told}\n{}", String::from_utf8_lossy(&ran.stderr));
}
