//! Floor 3: the command line.

mod admin;
mod amount;
mod bench;
mod build;
mod check;
mod client;
mod conformance;
mod dashboards;
mod dev;
mod doing;
mod ending;
mod exit;
mod graph;
mod inspect;
mod live;
mod log;
mod new;
mod outputs;
mod progress;
mod ps;
mod pull;
mod push;
mod reload;
mod retry;
mod ruled;
mod run;
mod runs;
mod schema;
mod serve;
mod session;
mod sign;
mod state;
mod status;
mod summary;
mod swap;
mod tap;
mod telemetry;
mod test;
mod top;

use std::{path::PathBuf, process::ExitCode};

use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};

pub use exit::Exit;

/// Runs pipelines of WebAssembly stages over Arrow batches, and accounts for every call.
///
/// A pipeline is a TOML file: stages that extract, transform and load, each a WebAssembly component. Begin with
/// `parshall run examples/flights/pipeline.toml`, look at what came out, then change the file.
#[derive(Parser)]
#[command(name = "parshall", version, max_term_width = 100, arg_required_else_help = true, after_help = AFTER)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Say more: -v what the host does, -vv also debugging. $PARSHALL_LOG takes a filter such as `guest=debug`.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// When to colour messages.
    #[arg(long, global = true, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    color: When,
    /// The form of log records on standard error; `auto` is text on a terminal and JSON lines elsewhere.
    #[arg(long, global = true, value_enum, value_name = "FORM")]
    log_format: Option<log::LogFormat>,
}

const AFTER: &str = "\
Exit codes: 0 done (or stopped by Ctrl-C, with everything in flight committed), 1 the run failed, 2 the input is wrong.

Environment: PARSHALL_CACHE  folder of compiled components, or `off`
             PARSHALL_LOG    log filter
             PARSHALL_LOG_FORMAT  auto, text or json: as --log-format
             PARSHALL_DIST   folder of components to use instead of the embedded std: ones
             PARSHALL_STATE_DIR  folder of what is remembered of runs, or `off`
             PARSHALL_ADMIN_TOKEN  what requests to the admin port of a run must carry
             PARSHALL_METRICS_ADDR  where metrics are served, or `off`
             OTEL_*          where telemetry is exported by OTLP, and how (TELEMETRY.md)";

/// When to do something that depends on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum When {
    /// If standard error is a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl When {
    fn now(self) -> bool {
        use std::io::IsTerminal as _;
        match self {
            When::Auto => std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
            When::Always => true,
            When::Never => false,
        }
    }
}

#[derive(Subcommand)]
enum Command {
    /// Run a pipeline to its end.
    Run(run::Arguments),
    /// Feed dead letters back into the stage where they failed, after a fix.
    ///
    /// The stage and all that it feeds run, with these rows as their source; rows that fail again become dead letters again. Afterwards the
    /// file is called `NAME.retried`. Exit code 2: the file is no file of dead letters, or the pipeline has changed so that its rows do not
    /// fit.
    Retry(retry::Arguments),
    /// Find every mistake in a pipeline file, without running it.
    Check(check::Arguments),
    /// Measure what metering and tracing cost a pipeline's transforms, on its own rows; or compare two versions of them.
    Bench(bench::Arguments),
    /// List the runs that can be looked at and changed.
    Ps(ps::Arguments),
    /// List the runs that there were: state, rows, checkpoints, errors.
    Runs(runs::Arguments),
    /// Show a run and its stages as they are now.
    Status(status::Arguments),
    /// Follow a run on the terminal: stages, rates, queues; swap and tap by a key.
    Top(top::Arguments),
    /// Show batches of a stage as they pass.
    Tap(tap::Arguments),
    /// Give a stage another component while it runs.
    ///
    /// The new version is loaded beside the old one, checked, tried as [swap] and the options say, and takes over between two batches.
    /// Exit code 0: it stays (or is what runs already); 1: it was refused or rolled back, and the old version goes on; 2: there is no such
    /// stage, run or component.
    Swap(swap::Arguments),
    /// Have a run read its pipeline file and its components again: what is different is swapped, the rest goes on untouched.
    Reload(reload::Arguments),
    /// Show what a component is: kind, version, imports, configuration.
    Inspect(inspect::Arguments),
    /// Ask a component everything that a good stage must do, and print a report card.
    Conformance(conformance::Arguments),
    /// Begin a stage in a language: a project that works, with its test.
    New(new::Arguments),
    /// Make a component of a project.
    Build(build::Arguments),
    /// Try a project's cases in the real host.
    Test(test::Arguments),
    /// Build a project whenever it changes, swap it into a pipeline that runs, and show what comes out.
    ///
    /// Without --pipeline the project's cases are tried after every build. What does not build, or is rolled back, is told; what runs goes
    /// on. Ctrl-C stops the pipeline, whose loads commit.
    Dev(dev::Arguments),
    /// Fetch the components of a pipeline that are in registries, and pin what their tags mean.
    ///
    /// The lock file beside the pipeline file (flights.toml has flights.lock) says which digest a tag means; `run` and `check` write what it
    /// lacks, too, unless --locked is given.
    Pull(pull::Arguments),
    /// Put a component into an OCI registry.
    ///
    /// Who you are is what `docker login` has written. PARSHALL_REGISTRY_TIMEOUT (30, seconds that a registry may say nothing),
    /// PARSHALL_REGISTRY_BYTES (268435456, the most bytes of a component that is pulled) and PARSHALL_INSECURE_REGISTRIES (hosts that speak
    /// no TLS; localhost and 127.0.0.1 do not anyway) are settings of every command that speaks to a registry.
    Push(push::Arguments),
    /// Sign a component's file for pipelines that have [signatures].
    Sign(sign::Arguments),
    /// Draw a pipeline as Mermaid or DOT, with the schemas on its edges.
    Graph(graph::Arguments),
    /// Print the JSON Schema of the pipeline file, for editors.
    Schema(schema::Arguments),
    /// Write a Grafana dashboard, and Prometheus rules with their tests.
    Dashboards(dashboards::Arguments),
    /// Print a completion script for a shell.
    ///
    /// For example: parshall completions bash > ~/.local/share/bash-completion/completions/parshall
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// A pipeline file, as every command takes it.
#[derive(clap::Args)]
struct PipelineFile {
    /// The pipeline file.
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// Fail rather than change the lock file, where a tag of a registry is not in it.
    #[arg(long)]
    locked: bool,
}

impl PipelineFile {
    /// One whose tags of registries are pinned as they are met.
    fn of(file: &std::path::Path) -> Self {
        PipelineFile { file: file.to_owned(), locked: false }
    }
}

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let colour = arguments.color.now();
    if let Err(exit) = log::start(arguments.verbose, arguments.log_format, colour) {
        return exit.report();
    }
    let exit = match arguments.command {
        Command::Run(arguments) => run::run(arguments, colour),
        Command::Retry(arguments) => retry::retry(&arguments, colour),
        Command::Check(arguments) => check::check(&arguments, colour),
        Command::Bench(arguments) => bench::bench(&arguments, colour),
        Command::Ps(arguments) => ps::ps(&arguments),
        Command::Runs(arguments) => runs::runs(&arguments, colour),
        Command::Status(arguments) => status::status(&arguments),
        Command::Top(arguments) => top::top(&arguments),
        Command::Tap(arguments) => tap::tap(&arguments),
        Command::Swap(arguments) => swap::swap(arguments),
        Command::Reload(arguments) => reload::reload(&arguments),
        Command::Inspect(arguments) => inspect::inspect(&arguments),
        Command::Conformance(arguments) => conformance::conformance(&arguments),
        Command::New(arguments) => new::new(&arguments),
        Command::Build(arguments) => build::build(&arguments),
        Command::Test(arguments) => test::test(&arguments),
        Command::Dev(arguments) => dev::dev(arguments, colour),
        Command::Pull(arguments) => pull::pull(&arguments, colour),
        Command::Push(arguments) => push::push(&arguments),
        Command::Sign(arguments) => sign::sign(&arguments),
        Command::Graph(arguments) => graph::graph(&arguments, colour),
        Command::Schema(arguments) => schema::schema(&arguments),
        Command::Dashboards(arguments) => dashboards::dashboards(&arguments),
        Command::Completions { shell } => completions(shell),
    };
    exit.map_or_else(Exit::report, |()| ExitCode::SUCCESS)
}

fn completions(shell: clap_complete::Shell) -> Result<(), Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "parshall", &mut script);
    exit::print(&String::from_utf8_lossy(&script))
}
