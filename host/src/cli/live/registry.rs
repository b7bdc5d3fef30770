//! Runs of this user on this machine that have an admin port: a file for each, there as long as the run is.

use std::{
    env, fs,
    io::{self, Write as _},
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use super::changes::Changes;

/// A run that can be asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The process.
    pub pid: u32,
    /// When the process was born, in the kernel's own count: its number may be another's by now.
    pub born: Option<u64>,
    /// The pipeline's name.
    pub pipeline: String,
    /// The pipeline file.
    pub file: PathBuf,
    /// Where its admin port is.
    pub addr: SocketAddr,
    /// What requests must carry.
    pub token: String,
    /// When it began, in seconds since 1970.
    pub started_at: f64,
}

/// Registered until this is dropped.
pub struct Registered(PathBuf);

impl Drop for Registered {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

impl Entry {
    /// Of this process.
    pub fn of(changes: &Changes, addr: SocketAddr, token: String) -> Self {
        let pid = process::id();
        let started_at = now() - changes.graph().control.elapsed().as_secs_f64();
        // Whoever listens everywhere listens here.
        let addr = if addr.ip().is_unspecified() { SocketAddr::from(([127, 0, 0, 1], addr.port())) } else { addr };
        Entry { pid, born: born(pid), pipeline: changes.graph().name.clone(), file: changes.file.clone(), addr, token, started_at }
    }

    fn lives(&self) -> bool {
        match born(process::id()) {
            Some(_) => lives(self.pid, self.born),
            // Where the kernel does not tell, the port does: on this machine it refuses at once.
            None => std::net::TcpStream::connect(self.addr).is_ok(),
        }
    }
}

/// Lets others find this process. Only this user may read the file: the token is in it.
pub fn register(entry: &Entry) -> io::Result<Registered> {
    let folder = folder().ok_or_else(|| io::Error::other("neither $XDG_RUNTIME_DIR nor $HOME is set"))?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let path = folder.join(format!("{}.json", entry.pid));
    let mut file = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o600)).tempfile_in(&folder)?;
    file.write_all(&serde_json::to_vec(entry).map_err(io::Error::other)?)?;
    file.persist(&path)?;
    Ok(Registered(path))
}

/// All runs, the oldest first. What a process has left behind that is no more is taken away.
pub fn all() -> Vec<Entry> {
    let Some(Ok(found)) = folder().map(fs::read_dir) else { return Vec::new() };
    let paths = found.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let mut entries: Vec<Entry> = paths.filter_map(|path| read(&path)).collect();
    entries.sort_by(|a, b| a.started_at.total_cmp(&b.started_at).then(a.pid.cmp(&b.pid)));
    entries
}

fn read(path: &Path) -> Option<Entry> {
    let entry: Option<Entry> = fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let entry = entry.filter(Entry::lives);
    if entry.is_none() {
        let _ = fs::remove_file(path);
    }
    entry
}

/// `$XDG_RUNTIME_DIR/parshall`, which is this user's and gone after the last logout; or `parshall/runs` in the user's cache folder.
fn folder() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    set("XDG_RUNTIME_DIR").map(|base| base.join("parshall")).or_else(|| cache().map(|base| base.join("parshall").join("runs")))
}

/// Seconds since 1970.
pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// Whether a process is still there, and still the same.
pub fn lives(pid: u32, at: Option<u64>) -> bool {
    at.is_some() && at == born(pid)
}

/// The 22nd field of `/proc/PID/stat`; the second is a name in parentheses that may hold anything.
pub fn born(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against asking another process that has got the number of one which is no more.
    #[test]
    fn a_process_is_known_by_its_birth() {
        let me = process::id();
        let entry = |born| Entry {
            pid: me,
            born,
            pipeline: "p".into(),
            file: "/p.toml".into(),
            addr: ([127, 0, 0, 1], 1).into(),
            token: "t".into(),
            started_at: 0.0,
        };
        assert!(entry(born(me)).lives() || born(me).is_none());
        assert!(!entry(born(me).map(|born| born + 1)).lives());
    }
}
