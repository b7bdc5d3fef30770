//! Every key that a pipeline file may have: the one place that the reader, its complaints and the JSON Schema come from.

use crate::words::stage::Kind;

/// A key.
pub struct Key {
    /// As written.
    pub name: &'static str,
    /// For a person, with units.
    pub doc: &'static str,
    /// What may stand after it.
    pub shape: Shape,
    /// What counts when it is left out, as it would be written.
    pub default: Option<&'static str>,
}

/// What may stand after a key.
pub enum Shape {
    /// A string.
    Text,
    /// `std:NAME`, a path, or `oci://…`.
    Component,
    /// An array of `stage` or `stage.port`.
    Inputs,
    /// A table that only the component understands.
    Config,
    /// An integer within bounds.
    Count { min: u64, max: u64 },
    /// Bytes: an integer, or a string with a unit.
    Bytes,
    /// A string with a unit of time.
    Time,
    /// An array of locations.
    Places,
    /// An array of paths of files.
    Files,
    /// An array of hosts.
    Hosts,
    /// An array of names of environment variables.
    Variables,
    /// `true` or `false`.
    Flag,
    /// A number from 0 to 1.
    Ratio,
    /// A number above 0.
    Factor,
    /// An array of ascending positive numbers.
    Bounds,
    /// A word of [`ON_ERROR_WORDS`], or a table of [`ON_ERROR`].
    OnError,
    /// One of these words.
    Words(&'static [&'static str]),
    /// The limits of [`super::limits::LIMITS`].
    Limits,
    /// A table of these keys.
    Table(&'static [Key]),
    /// A table of stages of this kind, by name.
    Stages(Kind),
}

const fn key(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key { name, doc, shape, default: None }
}

const fn with_default(name: &'static str, shape: Shape, default: &'static str, doc: &'static str) -> Key {
    Key { name, doc, shape, default: Some(default) }
}

/// Bytes that may wait in front of a stage when the file does not say: a few batches of 8,192 rows.
pub const DEFAULT_QUEUE: u64 = 8 << 20;
/// The most stages of a pipeline: each has an instance and a queue, and checks compare them with each other.
pub const MAX_STAGES: usize = 1_000;
/// The most instances of a stage.
pub const MAX_INSTANCES: u64 = 64;

/// At the top of the file.
pub static FILE: &[Key] = &[
    key("name", Shape::Text, "Name of the pipeline. Left out, it is the file's name without its extension."),
    key("description", Shape::Text, "What the pipeline is for, for a person."),
    key(
        "delivery",
        Shape::Table(DELIVERY),
        "Checkpoints: how often what has been loaded becomes visible, and where it is kept how far the run has come.",
    ),
    key("dead_letters", Shape::Table(DEAD_LETTERS), "Where rows are written that a stage with `on_error = \"dead-letter\"` cannot take."),
    key("defaults", Shape::Table(DEFAULTS), "Settings of every stage that does not set them itself."),
    key(
        "signatures",
        Shape::Table(SIGNATURES),
        "Who must have signed the components: with it, nothing runs that is not signed, but for what comes with Parshall.",
    ),
    key(
        "swap",
        Shape::Table(SWAP),
        "How a new version of a stage is tried before it stays, when a stage is swapped while the pipeline runs.",
    ),
    key("telemetry", Shape::Table(TELEMETRY), "How the pipeline wants to be watched."),
    key("extract", Shape::Stages(Kind::Extract), "Stages that bring data in, by name."),
    key("transform", Shape::Stages(Kind::Transform), "Stages that turn batches into other batches, by name."),
    key("load", Shape::Stages(Kind::Load), "Stages that take data out, by name."),
];

/// In `[defaults]`.
pub static DEFAULTS: &[Key] = &[LIMITS, METERING, METERING_EVERY, QUEUE];

/// Bytes that the stages may remember together at a checkpoint when the file does not say.
pub const DEFAULT_SNAPSHOT: u64 = 64 << 20;
/// Runs of a pipeline that are remembered when the file does not say.
pub const DEFAULT_RUNS: u64 = 100;

/// In `[delivery]`.
pub static DELIVERY: &[Key] = &[
    key(
        "checkpoint",
        Shape::Time,
        "Time from one checkpoint to the next. Left out, there are none: what is loaded becomes visible at the end, all or none of it.",
    ),
    with_default("runs", Shape::Count { min: 1, max: 100_000 }, "100", "Runs of the pipeline that `parshall runs` remembers."),
    with_default(
        "snapshot",
        Shape::Bytes,
        "\"64MiB\"",
        "Bytes that all stages together may remember at a checkpoint: positions and states. More ends the run.",
    ),
    key(
        "state",
        Shape::Text,
        "Folder in which it is kept how far the run has come, relative to this file. Left out: that of \
         `PARSHALL_STATE_DIR`, or the user's own folder for state. `--state-dir` goes before all of them.",
    ),
];

/// In `[signatures]`.
pub static SIGNATURES: &[Key] = &[key(
    "keys",
    Shape::Files,
    "Public keys in PEM form (ECDSA on P-256 or Ed25519), relative to this file; a component needs the signature of one of them. Of \
     `oci://` it is looked for where cosign puts it, of `NAME.wasm` in `NAME.wasm.sig`.",
)];

/// In `[telemetry]`.
pub static TELEMETRY: &[Key] = &[
    key(
        "buckets",
        Shape::Bounds,
        "Upper bounds of the buckets of latency histograms, in seconds, ascending. Left out: 10 µs to 60 s, three a decade.",
    ),
    key(
        "keep",
        Shape::Table(KEEP),
        "Which batches' spans are kept of those that were sampled. Decided when a batch has gone all its way (tail sampling).",
    ),
];

/// In `[telemetry] keep`.
pub static KEEP: &[Key] = &[
    with_default("failed", Shape::Flag, "true", "Keep every batch in which a call failed."),
    with_default("ratio", Shape::Ratio, "1.0", "Share of all other batches to keep, from 0 to 1, by trace id."),
    with_default("rejected", Shape::Flag, "true", "Keep every batch of which rows were rejected."),
    key("slower_than", Shape::Time, "Keep every batch that took longer than this from end to end."),
];

/// The most batches of a phase of a swap.
pub const MAX_BATCHES: u64 = 1_000_000_000;

const fn batches(name: &'static str, default: &'static str, doc: &'static str) -> Key {
    with_default(name, Shape::Count { min: 0, max: MAX_BATCHES }, default, doc)
}

/// In `[swap]`.
pub static SWAP: &[Key] = &[
    with_default(
        "canary",
        Shape::Ratio,
        "0.0",
        "Share of batches that the new version is given before it takes over. 0 leaves the phase out.",
    ),
    batches("canary_batches", "100", "Batches that the canary phase lasts, given to either version."),
    with_default("diverge", Shape::Flag, "false", "Whether answers that differ in the shadow phase are only counted, and refuse nothing."),
    key(
        "fuel",
        Shape::Factor,
        "Fuel a row, relative to the old version's, above which the new one is rolled back. Left out, it is not judged.",
    ),
    batches("guard", "32", "Batches after the switch during which the old version is kept: a failure goes back to it, and loses nothing."),
    key("memory", Shape::Factor, "Most linear memory of an instance, relative to the old version's; judged as `fuel` is."),
    with_default(
        "patience",
        Shape::Time,
        "\"60s\"",
        "How long the phases may take together; a shadow or canary that saw too few batches by then refuses the swap.",
    ),
    with_default("rejects", Shape::Ratio, "0.1", "By how much the share of rejected rows may exceed the old version's."),
    batches(
        "shadow",
        "0",
        "Batches that the new version works on beside the old one before it takes over; its answers are compared and thrown away.",
    ),
    key("slower", Shape::Factor, "Time a row, relative to the old version's; judged as `fuel` is."),
];

/// The most calls that may be spent on one batch.
pub const MAX_BISECT: u64 = 1_000_000;

/// In `[dead_letters]`.
pub static DEAD_LETTERS: &[Key] = &[
    with_default("bytes", Shape::Bytes, "\"1GiB\"", "Bytes that one stage may write in one run; beyond them the run fails."),
    with_default(
        "folder",
        Shape::Text,
        "\"dead-letters\"",
        "The folder, relative to this file. It is made when there is something to write.",
    ),
    with_default(
        "rows",
        Shape::Count { min: 1, max: i64::MAX as u64 },
        "1000000",
        "Rows that one stage may write in one run; beyond them the run fails.",
    ),
];

/// `on_error` as one word.
pub static ON_ERROR_WORDS: &[&str] = &["fail", "retry", "dead-letter", "skip"];

/// In `on_error`.
pub static ON_ERROR: &[Key] = &[
    with_default("backoff", Shape::Time, "\"100ms\"", "How long to wait before the first retry; doubled from one to the next."),
    with_default("backoff_max", Shape::Time, "\"30s\"", "What the wait grows to."),
    with_default(
        "bisect",
        Shape::Count { min: 0, max: MAX_BISECT },
        "1024",
        "Calls that may be spent on finding the rows at fault in one batch. What is not told apart by then is set aside together.",
    ),
    with_default(
        "circuit",
        Shape::Count { min: 1, max: MAX_BATCHES },
        "8",
        "Batches in a row of which no row went well, after which the run fails nevertheless.",
    ),
    with_default(
        "retry",
        Shape::Count { min: 0, max: crate::pipeline::policy::MOST_RETRIES },
        "0",
        "How often a call is made again that may go well later: something outside did not answer, or the deadline passed.",
    ),
    with_default(
        "then",
        Shape::Words(&["fail", "dead-letter", "skip"]),
        "\"fail\"",
        "What is done when that did not help: the run fails, or the rows at fault are set aside and all others go on.",
    ),
];

/// In a stage.
pub static STAGE: &[Key] = &[
    key(
        "component",
        Shape::Component,
        "What the stage runs: `std:NAME` for a component that comes with Parshall, the path of a `.wasm` file, relative to this \
         file, or `oci://REGISTRY/NAME:TAG` (or `@sha256:…`) for one in a registry.",
    ),
    key(
        "config",
        Shape::Config,
        "The component's own configuration; `parshall inspect COMPONENT` shows its schema. In strings, `${VAR}` and \
         `${VAR:-default}` are filled in from the environment; `$$` is a `$`.",
    ),
    key(
        "grants",
        Shape::Table(GRANTS),
        "What the stage may do beyond computing on the batches it is handed. Nothing is granted by itself.",
    ),
    key("inputs", Shape::Inputs, "What feeds the stage: names of stages, or `stage.port`. Every transform and load has a port `rejected`."),
    with_default(
        "instances",
        Shape::Count { min: 1, max: MAX_INSTANCES },
        "1",
        "How many instances work side by side. More than one only for a component that remembers nothing between batches; \
         the order of batches is kept.",
    ),
    LIMITS,
    METERING,
    METERING_EVERY,
    with_default(
        "on_error",
        Shape::OnError,
        "\"fail\"",
        "What is done when a call fails: the run fails, the call is made again, or the rows at fault are found and set aside. FAILURES.md \
         is the reference.",
    ),
    QUEUE,
    key(
        "recycle",
        Shape::Bytes,
        "Linear memory beyond which an instance is replaced before its next batch, with what it remembers. Left out: three quarters of \
         `limits.memory`.",
    ),
];

const LIMITS: Key =
    key("limits", Shape::Limits, "What one instance of the stage may use. Reaching a limit ends the run with an error that names it.");
const METERING: Key = with_default(
    "metering",
    Shape::Words(METERINGS),
    "\"fuel\"",
    "How calls are metered. `fuel`: every call counts its fuel, and ends when `limits.fuel` is used up. `epoch`: none does, and a call ends \
     at `limits.timeout`, which is looked at every 10 ms. `sampled`: one call in `metering_every` counts its fuel, that of the others is \
     estimated by their rows; for transforms that remember nothing, and each instance has its memory twice.",
);
const METERING_EVERY: Key = with_default(
    "metering_every",
    Shape::Count { min: 2, max: MAX_METERING_EVERY },
    "100",
    "With `metering = \"sampled\"`: of so many calls one counts its fuel, the first of them.",
);
/// How calls may be metered.
pub static METERINGS: &[&str] = &["fuel", "epoch", "sampled"];
/// The most of `metering_every`.
pub const MAX_METERING_EVERY: u64 = 1_000_000;
/// Of so many calls one counts its fuel where calls are sampled and the file does not say.
pub const DEFAULT_METERING_EVERY: u32 = 100;
const QUEUE: Key = with_default(
    "queue",
    Shape::Bytes,
    "\"8MiB\"",
    "Bytes of batches that may wait in front of the stage, as an integer or with a unit: \"8MiB\". One batch is always admitted.",
);

/// In `grants`.
pub static GRANTS: &[Key] = &[
    with_default("clocks", Shape::Flag, "false", "Whether the stage may tell the time and wait (`wasi:clocks`)."),
    with_default(
        "environment",
        Shape::Variables,
        "[]",
        "Names of environment variables that the stage may see (`wasi:cli/environment`); one that is not set is not there.",
    ),
    with_default(
        "http",
        Shape::Hosts,
        "[]",
        "Servers that the stage may send requests to (`wasi:http`): `api.example.com` (at the scheme's own port), \
         `127.0.0.1:8080`, `*.example.com`. A name that leads to a private address is refused; grant the address, or `localhost`.",
    ),
    with_default("random", Shape::Flag, "false", "Whether the stage may have random numbers (`wasi:random`)."),
    with_default(
        "read",
        Shape::Places,
        "[]",
        "Locations that the stage may read: files, folders with all that is below them, or beginnings of URLs. Paths are \
         relative to this file.",
    ),
    with_default("state", Shape::Flag, "false", "Whether the stage may keep keys and values that outlive it."),
    with_default("telemetry", Shape::Flag, "false", "Whether the stage may write logs, count and open spans of its own."),
    with_default("write", Shape::Places, "[]", "Locations that the stage may write, as for `read`."),
];

/// Whether a stage of this kind may have this key, and if not, why.
pub fn misplaced(kind: Kind, key: &str) -> Option<&'static str> {
    match (kind, key) {
        (Kind::Extract, "inputs") => Some("an extract begins a pipeline: nothing feeds it"),
        (Kind::Extract, "queue") => Some("nothing feeds an extract, so nothing waits in front of it"),
        (Kind::Load, "recycle") => Some("a load holds what is not committed yet: it cannot be replaced before its end"),
        (Kind::Extract, "instances") => Some("each instance of an extract would bring in the same data again"),
        _ => None,
    }
}

/// The keys of a stage of this kind.
pub fn of_stage(kind: Kind) -> impl Iterator<Item = &'static Key> {
    STAGE.iter().filter(move |key| misplaced(kind, key.name).is_none())
}
