//! Asking a running pipeline by its admin port: what the commands that look at runs and change them have in common.

mod choose;
mod told;

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

pub use choose::{Target, Which};
pub use told::{Records, Told, print};

use super::{Exit, admin::shapes::Refused};
use crate::telemetry::otlp;

/// How long an answer about what is known already may take, in seconds.
const ANSWER: Duration = Duration::from_secs(10);
/// How long the last word of a change, or the end of a tap, may take: as long as it takes.
const PATIENT: Duration = Duration::from_secs(365 * 24 * 3600);
/// Bytes of a line of a tap; twice what the port gives at once.
const LINE: usize = 4 << 20;

/// Somebody who asks one run.
pub struct Client {
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    target: Target,
}

impl Client {
    /// For a run.
    pub fn new(target: Target) -> Result<Self, Exit> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(anyhow::Error::from)?;
        // A proxy has no business between two processes of one machine.
        let http = otlp::client(ANSWER, false).no_proxy().build().map_err(anyhow::Error::from)?;
        Ok(Client { runtime, http, target })
    }

    /// What is at a path.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Exit> {
        self.runtime.block_on(async { read(self.ask(self.http.get(self.url(path))).await?).await })
    }

    /// Has something done, and waits for the last word.
    pub fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Exit> {
        let body = serde_json::to_vec(body).map_err(anyhow::Error::from)?;
        let request = self.http.post(self.url(path)).timeout(PATIENT).header("content-type", "application/json").body(body);
        self.runtime.block_on(async { read(self.ask(request).await?).await })
    }

    /// Gives line after line, until there are no more or enough.
    pub fn lines(&self, path: &str, mut take: impl FnMut(&str) -> bool) -> Result<(), Exit> {
        self.runtime.block_on(async {
            let mut response = self.ask(self.http.get(self.url(path)).timeout(PATIENT)).await?;
            let mut waiting = Vec::new();
            while let Ok(Some(piece)) = response.chunk().await {
                waiting.extend_from_slice(&piece);
                while let Some(end) = waiting.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = waiting.drain(..=end).collect();
                    if !take(String::from_utf8_lossy(&line).trim_end()) {
                        return Ok(());
                    }
                }
                if waiting.len() > LINE {
                    return Err(Exit::Broken(anyhow::anyhow!("the run sent a line without an end")));
                }
            }
            Ok(())
        })
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.target.addr)
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, Exit> {
        let response = request.bearer_auth(&self.target.token).send().await.map_err(|error| {
            let why = error.without_url();
            Exit::Broken(anyhow::Error::from(why).context(format!("the run at {} does not answer", self.target.addr)))
        })?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let text = response.text().await.unwrap_or_default();
        Err(refused(status, &text))
    }
}

async fn read<T: DeserializeOwned>(response: reqwest::Response) -> Result<T, Exit> {
    let text = response.text().await.map_err(|error| anyhow::Error::from(error.without_url()).context("the run's answer broke off"))?;
    let read = serde_json::from_str(&text);
    Ok(read.map_err(|error| anyhow::Error::from(error).context("the run's answer is not what this version of parshall expects"))?)
}

/// What cannot be done now is a failure; what should have been asked otherwise is wrong input.
fn refused(status: u16, text: &str) -> Exit {
    let Ok(Refused { error }) = serde_json::from_str(text) else {
        return Exit::Broken(anyhow::anyhow!("the run answered with status {status}"));
    };
    match (status, error.rendered) {
        (_, Some(rendered)) => Exit::Diagnostics(format!("{rendered}{}; what runs goes on as it was\n", error.message)),
        (409 | 429 | 500.., None) => Exit::Broken(anyhow::anyhow!(error.message)),
        (_, None) => Exit::Wrong(error.message),
    }
}

/// A part of a path: everything but letters, digits and what needs no escape as `%XX`.
pub fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { (byte as char).to_string() } else { format!("%{byte:02X}") }).collect()
}
