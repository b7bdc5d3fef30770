//! What can be done to a run while it runs: its triggers and its admin port, all over one [`Changes`].

mod audit;
mod changes;
mod hangup;
pub mod registry;
mod still;
mod token;
mod watch;

use std::{
    net::{SocketAddr, TcpListener, ToSocketAddrs as _},
    path::{Path, PathBuf},
    sync::Arc,
};

pub use changes::{Changes, complain};
pub use hangup::{Hangup, Means};
pub use still::{STILL, Stamp};
pub use token::Token;

use self::{
    registry::{Entry, Registered},
    watch::Watch,
};
use super::{Exit, admin, serve::Server};
use crate::{
    catalog::Catalog,
    pipeline::{run::Run, spec::Spec},
};

/// Arguments of `parshall run` about changes while it runs.
#[derive(clap::Args)]
#[command(next_help_heading = "While it runs")]
pub struct Arguments {
    /// Swap stages when the file of their component changes, or the pipeline file.
    #[arg(long)]
    watch: bool,
    /// Let `parshall ps`, `status`, `top`, `tap`, `swap` and `reload` of this user find the run: opens an admin port on a free port of
    /// this machine.
    #[arg(long)]
    admin: bool,
    /// Open the admin port here; ADMIN.md has its routes.
    #[arg(long, value_name = "HOST:PORT")]
    admin_addr: Option<String>,
    /// The token that requests must carry: the first line of this file; also $PARSHALL_ADMIN_TOKEN [default: a random one].
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::FilePath)]
    admin_token_file: Option<PathBuf>,
    /// Let --admin-addr be reachable from other machines. Token and data then travel unencrypted, and whoever has the token can make
    /// the run load any component.
    #[arg(long, requires = "admin_addr")]
    admin_insecure_remote: bool,
}

/// What was asked for and can be had, before anything runs.
pub struct Prepared {
    watch: bool,
    admin: Option<(TcpListener, Token)>,
}

/// A run that can be changed.
pub struct Live {
    changes: Arc<Changes>,
    watch: Option<Watch>,
    server: Option<Server>,
    _registered: Option<Registered>,
    /// What a hangup is to do, for whoever listens to signals.
    pub hangup: Option<Hangup>,
}

impl Arguments {
    /// Opens the port and reads the token, so that what is wrong is told before anything runs.
    pub fn prepare(&self) -> Result<Prepared, Exit> {
        let wanted = self.admin || self.admin_addr.is_some();
        if !wanted && self.admin_token_file.is_some() {
            return Err(Exit::Wrong("`--admin-token-file` without `--admin` or `--admin-addr` protects nothing".into()));
        }
        let admin = match wanted {
            true => Some((self.listen()?, Token::chosen(self.admin_token_file.as_deref())?)),
            false => None,
        };
        Ok(Prepared { watch: self.watch, admin })
    }

    fn listen(&self) -> Result<TcpListener, Exit> {
        let addr = self.admin_addr.as_deref().unwrap_or("127.0.0.1:0");
        let cannot = |error: std::io::Error| Exit::Wrong(format!("the admin port cannot be opened at `{addr}` (`--admin-addr`): {error}"));
        if addr.rsplit_once(':').is_none_or(|(host, port)| host.is_empty() || port.parse::<u16>().is_err()) {
            return Err(Exit::Wrong(format!("`--admin-addr` is `{addr}`: expected HOST:PORT, such as `127.0.0.1:9000`")));
        }
        let addrs: Vec<SocketAddr> = addr.to_socket_addrs().map_err(cannot)?.collect();
        if !self.admin_insecure_remote && addrs.iter().any(|addr| !addr.ip().is_loopback()) {
            return Err(Exit::Wrong(format!(
                "`--admin-addr` is `{addr}`, which other machines can reach: token and data would travel unencrypted. Use 127.0.0.1 (and \
                 `ssh -L` from elsewhere), or say `--admin-insecure-remote`"
            )));
        }
        TcpListener::bind(&addrs[..]).map_err(cannot)
    }
}

impl Prepared {
    /// Lets a run be changed.
    pub fn start(self, run: &Run, spec: Spec, catalog: Catalog, file: &Path) -> Result<Live, Exit> {
        let file = std::path::absolute(file).map_err(anyhow::Error::from)?;
        let live = self.watch || self.admin.is_some();
        let changes = Arc::new(Changes::new(run, spec, catalog, file));
        let watch = self.watch.then(|| Watch::start(&changes)).transpose().map_err(anyhow::Error::from)?;
        let hangup = Hangup::new(&changes, live).map_err(anyhow::Error::from)?;
        let (mut server, mut registered) = (None, None);
        if let Some((listener, token)) = self.admin {
            let secret = token.text().to_owned();
            let started = Server::start(listener, "admin", admin::router(Arc::clone(&changes), token)).map_err(anyhow::Error::from)?;
            tracing::info!("the admin port is at http://{}", started.addr);
            // A run that nobody finds by name can still be asked by its address.
            registered = registry::register(&Entry::of(&changes, started.addr, secret))
                .inspect_err(|error| tracing::warn!("`parshall ps` will not find this run: {error}"))
                .ok();
            server = Some(started);
        }
        Ok(Live { changes, watch, server, _registered: registered, hangup: Some(hangup) })
    }
}

impl Live {
    /// The run is over: nothing can be changed any more.
    pub fn stop(self) {
        self.watch.iter().for_each(Watch::stop);
        if let Some(server) = self.server {
            server.stop();
        }
        drop(self.changes);
    }
}
