//! `parshall top` and `tap` in a real terminal: tmux, at 80 and at 160 columns, with keys that are pressed.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::{
    binary::{Ran, folder, signal},
    live::{Live, command, endless, version, wait},
};

const HEIGHT: usize = 24;

/// A terminal, gone when it is dropped.
struct Terminal {
    socket: TempDir,
    width: usize,
}

impl Terminal {
    /// Runs `parshall` in one, if there is tmux.
    fn start(here: &Path, width: usize, arguments: &[&str]) -> Option<Self> {
        let there = Command::new("tmux").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !there.is_ok_and(|status| status.success()) {
            println!("skipped: tmux is not installed; tests/terminal/install");
            return None;
        }
        let terminal = Terminal { socket: folder(), width };
        let parshall = command(here, &[]);
        let mut words = vec!["env".to_owned()];
        words.extend(parshall.get_envs().filter_map(|(name, value)| Some(format!("{}={}", name.to_str()?, value?.to_str()?))));
        words.push(env!("CARGO_BIN_EXE_parshall").to_owned());
        words.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
        // What it leaves on the screen stays to be seen.
        let line = format!("cd '{}' && {}; echo \"exit $?\"; sleep 600", here.display(), quoted.join(" "));
        let (columns, lines) = (width.to_string(), HEIGHT.to_string());
        terminal.tmux(&["-u", "-f", "/dev/null", "new-session", "-d", "-x", &columns, "-y", &lines, &line]);
        Some(terminal)
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("tmux");
        // Its server asks the locale whether lines and dots can be shown.
        command.env("LC_ALL", "C.UTF-8").env("TERM", "screen-256color").env_remove("TMUX");
        let output = command.arg("-S").arg(self.socket.path().join("tmux")).args(arguments).output().unwrap();
        assert!(output.status.success(), "tmux {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The lines of the screen. None is wider than the screen, and none has gone on in the next.
    fn screen(&self) -> Vec<String> {
        let plain = self.tmux(&["capture-pane", "-p"]);
        // With -J, lines that were wrapped are joined: there are none, if it changes nothing.
        let joined = self.tmux(&["capture-pane", "-p", "-J"]);
        let lines = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
        // Two looks at what moves are two screens: only how many lines there are is compared.
        assert_eq!(lines(&plain).len(), lines(&joined).len(), "lines wrap:\n{plain}\n{joined}");
        let lines = lines(&plain);
        assert!(lines.iter().all(|line| line.chars().count() <= self.width), "{plain}");
        lines
    }

    /// Waits until the screen is as wanted.
    fn until(&self, what: &str, wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
        wait(what, || {
            let screen = self.screen();
            if wanted(&screen) { Ok(screen) } else { Err(screen.join("\n")) }
        })
    }

    fn press(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    fn write(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = Command::new("tmux").arg("-S").arg(self.socket.path().join("tmux")).arg("kill-server").output();
    }
}

/// The line of a stage in the table, without its marks.
fn line<'a>(screen: &'a [String], stage: &str) -> &'a str {
    let found = screen.iter().map(|line| line.trim_start_matches(['▸', '●', ' '])).find(|line| line.split(' ').next() == Some(stage));
    found.unwrap_or_default()
}

/// What stands below a title. Columns are flush right.
fn cell(screen: &[String], stage: &str, title: &str) -> String {
    let titles: Vec<char> = screen[1].chars().collect();
    let text: String = titles.iter().collect();
    let Some(at) = text.find(title).map(|at| text[..at].chars().count() + title.chars().count()) else { return String::new() };
    let row = screen.iter().find(|row| row.chars().skip(2).collect::<String>().split(' ').next() == Some(stage)).unwrap();
    row.chars().take(at).collect::<String>().split("  ").last().unwrap_or_default().trim().to_owned()
}

fn shows_all_stages(screen: &[String]) -> bool {
    screen.len() > 1 && screen[1].contains("STAGE") && ["numbers", "doubled", "end"].iter().all(|stage| !line(screen, stage).is_empty())
}

/// Protects the screen as a person sees it: all stages, the bottleneck marked, nothing wrapped, columns by the width.
fn looks_right(width: usize) {
    let here = endless();
    let live = Live::start(&here, &["--admin"]);
    let Some(terminal) = Terminal::start(here.path(), width, &["top", "--every", "300ms"]) else { return drop(live.end()) };
    let screen = terminal.until("all stages are shown, the bottleneck marked", |screen| {
        shows_all_stages(screen) && screen[2..5].iter().filter(|line| line.contains('●')).count() == 1
    });
    assert!(screen[0].starts_with(" lively · running · up ") && screen[0].contains("bottleneck ●"), "{screen:#?}");
    for title in ["ROWS/S", "BUSY", "P95", "QUEUE", "FUEL/ROW", "MEMORY", "GEN", "LAST ERROR"] {
        assert!(screen[1].contains(title), "{title}: {screen:#?}");
    }
    assert_eq!(["P50", "P99", "WAITING", "INST"].map(|title| screen[1].contains(title)), [width >= 160; 4], "{screen:#?}");
    assert!(screen[HEIGHT - 1].contains("w swap") && screen[HEIGHT - 1].contains("? help"), "{screen:#?}");
    assert!(!line(&screen, "numbers").split_whitespace().nth(1).unwrap().starts_with('0'), "rows flow: {screen:#?}");

    terminal.press(&["?"]);
    terminal.until("help", |screen| screen.iter().any(|line| line.contains("swap the chosen stage")));
    terminal.press(&["?", "s"]);
    terminal.until("another order", |screen| screen[HEIGHT - 1].contains("sort: busy"));
    terminal.press(&["s", "s", "s", "s"]);
    let screen = terminal.until("sorted by name", |screen| screen[HEIGHT - 1].contains("sort: name"));
    let order: Vec<_> = screen[2..5].iter().map(|line| line.trim_start_matches(['▸', '●', ' ']).split(' ').next().unwrap()).collect();
    assert_eq!(order, ["doubled", "end", "numbers"]);

    terminal.press(&["Home", "t"]);
    let screen = terminal.until("rows of a batch", |screen| screen.iter().any(|line| line.starts_with("n ") && line.contains("root")));
    assert!(screen.iter().any(|line| line.contains("doubled · batch ") && line.contains(" · out · 1,024 rows")), "{screen:#?}");
    assert!(shows_all_stages(&screen), "the stages stay in sight");
    terminal.press(&["t"]);
    terminal.until("the tap is closed", |screen| !screen.iter().any(|line| line.contains("doubled · batch ")));

    fs::write(here.path().join("second.wasm"), version("testing/double", 2)).unwrap();
    assert_eq!(cell(&screen, "doubled", " GEN"), "1", "{screen:#?}");
    terminal.press(&["w"]);
    terminal.write("second.wasn");
    terminal.until("what is typed", |screen| screen[HEIGHT - 1].contains("second.wasn█"));
    terminal.press(&["BSpace", "m", "Enter"]);
    let screen = terminal.until("the next generation", |screen| cell(screen, "doubled", " GEN") == "2");
    assert_eq!(cell(&screen, "end", " GEN"), "1", "{screen:#?}");
    terminal.until("what came of it", |screen| screen[HEIGHT - 1].contains("doubled: swapped, generation 1 → 2"));
    assert_eq!(live.generation(), 2);

    terminal.press(&["w"]);
    terminal.write("nothing.wasm");
    terminal.press(&["Enter"]);
    terminal.until("why it was refused", |screen| screen[HEIGHT - 1].contains("nothing.wasm"));
    terminal.press(&["q"]);
    terminal.until("the terminal is as before", |screen| screen.iter().any(|line| line == "exit 0"));
    live.end();
}

#[test]
fn top_looks_right_at_80_columns() {
    looks_right(80);
}

#[test]
fn top_looks_right_at_160_columns() {
    looks_right(160);
}

/// Protects tables of a tap against lines that wrap, and Ctrl-C against a run that ends with it.
#[test]
fn tap_looks_right_at_80_and_160_columns() {
    let here = endless();
    let live = Live::start(&here, &["--admin"]);
    for width in [80, 160] {
        let arguments = ["tap", "doubled", "--rows", "5", "--limit", "2"];
        let Some(terminal) = Terminal::start(here.path(), width, &arguments) else { break };
        let screen = terminal.until("two batches", |screen| screen.iter().any(|line| line == "exit 0"));
        let batches: Vec<_> = screen.iter().filter(|line| line.starts_with("batch ")).collect();
        assert!(batches.len() == 2 && batches[0].contains(" · out · 1,024 rows · trace "), "{screen:#?}");
        assert_eq!(screen.iter().filter(|line| line.trim_start().starts_with("n ")).count(), 2, "{screen:#?}");
        let Some(endless) = Terminal::start(here.path(), width, &["tap", "end", "--pause", "10ms"]) else { break };
        endless.until("a batch", |screen| screen.iter().any(|line| line.starts_with("batch ")));
        // Both are in one terminal, and only the tap is asked to end: the run has another one, or none.
        endless.press(&["C-c"]);
    }
    assert_eq!(live.json("/v1/status")["run"]["state"], "running");
    live.end();
}

/// Protects whoever closes the terminal in which a run was started: it finishes and commits, as by Ctrl-C, also where it can be reloaded,
/// and although nobody can be told any more.
#[test]
fn a_closed_terminal_finishes_and_commits() {
    let here = endless();
    fs::create_dir_all(here.path().join("runtime")).unwrap();
    let arguments = ["run", "pipeline.toml", "--admin", "--report-file", "report.json"];
    let Some(terminal) = Terminal::start(here.path(), 80, &arguments) else { return };
    let runs = || Ran(command(here.path(), &["ps", "--json"]).output().unwrap()).json()["runs"].clone();
    let pid = wait("it runs", || runs()[0]["pid"].as_u64().ok_or_else(|| terminal.tmux(&["capture-pane", "-p"])));
    // Whatever comes of it, it does not go on for days.
    let _end = Ended(pid.try_into().unwrap());
    wait("rows flow", || {
        let status = Ran(command(here.path(), &["status", "--json"]).output().unwrap()).json();
        if status["stages"][2]["rows_in"].as_u64() > Some(0) { Ok(()) } else { Err(status.to_string()) }
    });
    drop(terminal);
    let report = wait("the report", || fs::read_to_string(here.path().join("report.json")).map_err(|error| error.to_string()));
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["outcome"], "stopped", "{report:#}");
    assert_eq!(report["stages"][2]["receipt"]["rows"], report["stages"][0]["rows"]["out"]);
    wait("it is gone", || if runs().as_array().unwrap().is_empty() { Ok(()) } else { Err(runs().to_string()) });
}

/// A process of ours that is gone at the end of a test, however it ends.
struct Ended(u32);

impl Drop for Ended {
    fn drop(&mut self) {
        let line = fs::read(format!("/proc/{}/cmdline", self.0)).unwrap_or_default();
        // The number may be another's by now.
        if String::from_utf8_lossy(&line).starts_with(env!("CARGO_BIN_EXE_parshall")) {
            signal(self.0, "-KILL");
        }
    }
}
