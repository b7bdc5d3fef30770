//! Finding a language's own tools, and saying what to install where one is missing.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use super::language::Tool;

/// The folder of tools that `plugins/languages/install` fills: `$PARSHALL_TOOLS`, or one below the user's cache.
fn own_tools() -> Option<PathBuf> {
    let cache = || {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        Some(cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?.join("parshall/tools"))
    };
    Some(std::env::var_os("PARSHALL_TOOLS").map(PathBuf::from).or_else(cache)?.join("bin"))
}

/// Where a command is: on the path, or among Parshall's own tools.
pub fn find(command: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(own_tools());
    folders.map(|folder| folder.join(command)).find(|file| file.is_file())
}

/// Where a tool is, and what runs it; or what to do about what is missing of the two.
pub fn need(tool: Tool) -> Result<PathBuf, String> {
    let (found, host) = (find(tool.command), tool.runs_on.filter(|host| find(host.command).is_none()));
    let looked = own_tools().map(|folder| format!(" and not in {}", folder.display())).unwrap_or_default();
    match (found, host) {
        (Some(found), None) => Ok(found),
        (Some(_), Some(host)) => Err(format!(
            "`{}`, which {} (here `{}`, which {}), is not on the path{looked}\n  = help: {}",
            host.command, host.purpose, tool.command, tool.purpose, host.install
        )),
        (None, host) => {
            let host = host.map(|host| format!("\n  = help: before that, `{}`, which runs it: {}", host.command, host.install));
            Err(format!(
                "`{}`, which {}, is not on the path{looked}\n  = help: {}{}\n  = help: plugins/languages/install {} in Parshall's sources installs it into that folder",
                tool.command,
                tool.purpose,
                tool.install,
                host.unwrap_or_default(),
                tool.asked
            ))
        }
    }
}

/// A command that is run in a folder.
pub fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    // Where in itself a tool has noticed a mistake of its user's is nobody's business.
    command.current_dir(folder).env("RUST_LIB_BACKTRACE", "0");
    command
}

/// Runs it to its end. What it says is passed on only if it fails.
pub fn run(mut command: Command) -> Result<(), String> {
    let program = command.get_program();
    let name = Path::new(program).file_name().unwrap_or(program).to_string_lossy().into_owned();
    let shown = format!("{name} {}", command_arguments(&command));
    let output = command.output().map_err(|error| format!("{shown}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout)].concat();
    Err(format!("`{name}` failed ({}) and says:\n{}\n  = note: it was called as `{shown}`", output.status, said.trim()))
}

fn command_arguments(command: &Command) -> String {
    command.get_args().map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
