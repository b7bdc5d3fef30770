//! What came of a change, as a run tells it and as people read it.

use serde::Deserialize;

use crate::cli::{Exit, amount, exit};

/// A change of one stage.
#[derive(Debug, Deserialize)]
pub struct Told {
    /// The stage.
    pub stage: String,
    /// `swapped`, `refused` or `rolled_back`.
    pub outcome: String,
    reason: Option<String>,
    message: Option<String>,
    old: Version,
    new: Version,
    instances: u64,
    load_seconds: f64,
    trial_seconds: f64,
    pause_seconds: f64,
    diverged: u64,
    phases: Vec<Phase>,
}

/// Several of them.
#[derive(Debug, Deserialize)]
pub struct Records {
    /// Each stage that was to be changed.
    pub records: Vec<Told>,
}

#[derive(Debug, Deserialize)]
struct Version {
    generation: u32,
    component: String,
    digest: String,
    first_batch: Option<u64>,
    last_batch: Option<u64>,
    batches: u64,
}

#[derive(Debug, Deserialize)]
struct Phase {
    phase: String,
    seconds: f64,
}

impl Told {
    /// Whether the new version stays.
    pub fn swapped(&self) -> bool {
        self.outcome == "swapped"
    }

    /// In one line.
    pub fn line(&self) -> String {
        let Told { stage, old, new, .. } = self;
        let why = self.message.as_deref().map_or(String::new(), |message| format!(": {message}"));
        match self.outcome.as_str() {
            "swapped" if old.generation == new.generation => format!("{stage}: settings changed, {} instances{why}", self.instances),
            "swapped" => format!("{stage}: swapped, generation {} → {}{why}", old.generation, new.generation),
            outcome => {
                let reason = self.reason.as_deref().unwrap_or("unknown");
                format!("{stage}: {} ({reason}), generation {} stays{why}", outcome.replace('_', " "), old.generation)
            }
        }
    }

    /// All that is known, in some lines.
    pub fn text(&self) -> String {
        let widest = self.old.component.chars().count().max(self.new.component.chars().count());
        let version = |which: &str, version: &Version| {
            let digest: String = version.digest.trim_start_matches("sha256:").chars().take(8).collect();
            let batches = match (version.first_batch, version.last_batch) {
                (Some(first), Some(last)) => format!("{} batches, {first} to {last}", amount::count(version.batches)),
                _ => "no batches".to_owned(),
            };
            format!("  {which}  generation {}  {:widest$}  {digest}  {batches}\n", version.generation, version.component)
        };
        let mut text = self.line() + "\n";
        if self.old.generation == self.new.generation {
            return text;
        }
        text.push_str(&version("old", &self.old));
        text.push_str(&version("new", &self.new));
        // The others are in what is said around them, or take no time worth a word.
        let tried = self.phases.iter().filter(|phase| ["shadow", "canary", "guard"].contains(&&*phase.phase));
        let phases = tried.map(|phase| format!(", {} {}", phase.phase, amount::seconds(phase.seconds)));
        let diverged = if self.diverged > 0 { format!(", {} batches diverged", amount::count(self.diverged)) } else { String::new() };
        text.push_str(&format!(
            "  loaded beside in {}{}{diverged}, tried in {}, held up for {} at most\n",
            amount::seconds(self.load_seconds),
            phases.collect::<String>(),
            amount::seconds(self.trial_seconds),
            amount::seconds(self.pause_seconds),
        ));
        text
    }
}

/// Prints what came of changes; whatever did not stay makes the command fail.
pub fn print(records: &[Told]) -> Result<(), Exit> {
    if records.is_empty() {
        return exit::print("nothing has changed: what runs is what was asked for\n");
    }
    exit::print(&records.iter().map(Told::text).collect::<String>())?;
    if records.iter().all(Told::swapped) { Ok(()) } else { Err(Exit::Failed) }
}
