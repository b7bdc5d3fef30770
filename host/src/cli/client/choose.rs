//! Which run is meant: the only one, or the one that `--run` names.

use std::{env, net::SocketAddr};

use crate::cli::{
    Exit,
    live::registry::{self, Entry},
};

/// The variable that holds the token of a run on another machine.
const TOKEN: &str = "PARSHALL_ADMIN_TOKEN";

/// The argument that chooses among several runs.
#[derive(clap::Args)]
pub struct Which {
    /// Which run, where there are several: its process id or its pipeline's name, as `parshall ps` lists them. Or ADDRESS:PORT of an
    /// admin port elsewhere, whose token is in $PARSHALL_ADMIN_TOKEN.
    #[arg(long, value_name = "PID|PIPELINE")]
    run: Option<String>,
}

/// Where to ask.
#[derive(Clone)]
pub struct Target {
    /// The admin port.
    pub addr: SocketAddr,
    /// What the request must carry.
    pub token: String,
}

impl From<&Entry> for Target {
    fn from(entry: &Entry) -> Self {
        Target { addr: entry.addr, token: entry.token.clone() }
    }
}

impl Which {
    /// The run that is meant.
    pub fn target(&self) -> Result<Target, Exit> {
        let Some(wanted) = &self.run else { return chosen(registry::all(), None) };
        if let Ok(addr) = wanted.parse() {
            let token = env::var(TOKEN).map_err(|_| Exit::Wrong(format!("`--run {wanted}`: ${TOKEN} must hold the token of that run")))?;
            return Ok(Target { addr, token });
        }
        chosen(registry::all(), Some(wanted))
    }
}

fn chosen(all: Vec<Entry>, wanted: Option<&str>) -> Result<Target, Exit> {
    let is = |entry: &&Entry| wanted.is_none_or(|wanted| entry.pipeline == wanted || entry.pid.to_string() == wanted);
    let found: Vec<&Entry> = all.iter().filter(is).collect();
    let known = || all.iter().map(|entry| format!("{} ({})", entry.pid, entry.pipeline)).collect::<Vec<_>>().join(", ");
    match (found.as_slice(), wanted) {
        ([one], _) => Ok(Target::from(*one)),
        ([], _) if all.is_empty() => {
            Err(Exit::Wrong("no run of this user can be asked; begin one by `parshall run FILE --admin`".to_owned()))
        }
        ([], wanted) => Err(Exit::Wrong(format!("there is no run `{}`; there are {}", wanted.unwrap_or_default(), known()))),
        (_, Some(wanted)) => Err(Exit::Wrong(format!("several runs are called `{wanted}`: {}; `--run PID` chooses", known()))),
        (_, None) => Err(Exit::Wrong(format!("there are several runs: {}; `--run PID` or `--run PIPELINE` chooses", known()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(pid: u32, pipeline: &str) -> Entry {
        let addr = SocketAddr::from(([127, 0, 0, 1], pid as u16));
        Entry { pid, born: None, pipeline: pipeline.into(), file: "/p.toml".into(), addr, token: "t".into(), started_at: 0.0 }
    }

    fn port(all: &[Entry], wanted: Option<&str>) -> Result<u16, String> {
        match chosen(all.to_vec(), wanted) {
            Ok(target) => Ok(target.addr.port()),
            Err(Exit::Wrong(message)) => Err(message),
            Err(other) => panic!("{other:?}"),
        }
    }

    /// Protects against a swap in another run than was meant.
    #[test]
    fn one_run_is_meant_or_none() {
        let all = [entry(1, "a"), entry(2, "b"), entry(3, "b")];
        assert_eq!(port(&all[..1], None), Ok(1));
        assert_eq!((port(&all, Some("a")), port(&all, Some("3"))), (Ok(1), Ok(3)));
        assert!(port(&[], None).unwrap_err().contains("parshall run FILE --admin"));
        for (wanted, told) in [(None, "1 (a), 2 (b), 3 (b)"), (Some("b"), "several runs are called `b`"), (Some("c"), "no run `c`")] {
            let message = port(&all, wanted).unwrap_err();
            assert!(message.contains(told), "{message}");
        }
    }
}
