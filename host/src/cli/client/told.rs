//! What came of a change, as a run tells it and as people read it.

use serde::Deserialize;

use crate::cli::{Exit, amount, exit};

/// A change of one stage.
#[derive(Debug, Deserialize)]
pub struct Told {
    /// The stage.
    pub stage: String,
    /// As ADMIN.md lists them.
    pub outcome: String,
    reason: Option<String>,
    message: Option<String>,
    old: Option<Version>,
    new: Option<Version>,
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
    /// Whether what was asked for is how it is now.
    pub fn stays(&self) -> bool {
        !["refused", "rolled_back"].contains(&self.outcome.as_str())
    }

    /// In one line.
    pub fn line(&self) -> String {
        let stage = &self.stage;
        let why = self.message.as_deref().map_or(String::new(), |message| format!(": {message}"));
        let generation = |version: &Option<Version>| version.as_ref().map_or("-".to_owned(), |version| version.generation.to_string());
        let (old, new, reason) = (generation(&self.old), generation(&self.new), self.reason.as_deref().unwrap_or("unknown"));
        match self.outcome.as_str() {
            "resized" => format!("{stage}: settings changed, {} instances{why}", self.instances),
            "added" => format!("{stage}: added, {}{why}", amount::of(self.instances, "instance")),
            "removed" => format!("{stage}: removed, with all that it had taken{why}"),
            "rewired" => format!("{stage}: rewired, generation {old} goes on{why}"),
            outcome if self.stays() => format!("{stage}: {outcome}, generation {old} → {new}{why}"),
            outcome if self.old.is_none() => format!("{stage}: {} ({reason}), not added{why}", outcome.replace('_', " ")),
            outcome => format!("{stage}: {} ({reason}), generation {old} stays{why}", outcome.replace('_', " ")),
        }
    }

    /// All that is known, in some lines.
    pub fn text(&self) -> String {
        let mut text = self.line() + "\n";
        let (Some(old), Some(new)) = (&self.old, &self.new) else { return text };
        if old.generation == new.generation {
            return text;
        }
        let widest = old.component.chars().count().max(new.component.chars().count());
        let version = |which: &str, version: &Version| {
            let digest: String = version.digest.trim_start_matches("sha256:").chars().take(8).collect();
            let batches = match (version.first_batch, version.last_batch) {
                (Some(first), Some(last)) => format!("{} batches, {first} to {last}", amount::count(version.batches)),
                _ => "no batches".to_owned(),
            };
            format!("  {which}  generation {}  {:widest$}  {digest}  {batches}\n", version.generation, version.component)
        };
        text.push_str(&version("old", old));
        text.push_str(&version("new", new));
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
    if records.iter().all(Told::stays) { Ok(()) } else { Err(Exit::Failed) }
}
