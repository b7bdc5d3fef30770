//! Push to a Pushgateway: PUT, which replaces what the same group pushed before. <https://github.com/prometheus/pushgateway>
//! A group is a job, a machine and a pipeline, so that two pipelines, or two machines, do not overwrite each other.

use reqwest::{Client, Url};

use super::{PushError, TIMEOUT, said, unreachable};
use crate::telemetry::{
    metrics::{Gathered, exposition::Form},
    otlp::{client, shown},
};

/// The job that everything of this program is pushed as.
const JOB: &str = "parshall";

/// A Pushgateway.
pub struct Gateway {
    url: Url,
    client: Client,
    instance: String,
}

/// A URL that nothing can be pushed to.
#[derive(Debug, thiserror::Error)]
pub enum WrongUrl {
    /// It cannot be one of a Pushgateway.
    #[error("`{0}` is no URL of a Pushgateway, such as `http://127.0.0.1:9091`")]
    NoGateway(String),
    /// It says what to push as, which is not for the user to say.
    #[error(
        "`{0}` has more than the Pushgateway's own URL, such as `http://127.0.0.1:9091`: leave out `/metrics` and what follows, which is added"
    )]
    Group(String),
}

impl Gateway {
    /// At a URL: where it is served from, without `/metrics`.
    pub fn new(url: &str) -> Result<Self, WrongUrl> {
        let wrong = || WrongUrl::NoGateway(url.to_owned());
        let parsed = Url::parse(url).map_err(|_| wrong())?;
        if !["http", "https"].contains(&parsed.scheme()) || !parsed.has_host() {
            return Err(wrong());
        }
        let path = parsed.path().trim_end_matches('/');
        if path.ends_with("/metrics") || path.contains("/metrics/job") || parsed.query().is_some() {
            return Err(WrongUrl::Group(url.to_owned()));
        }
        let client = client(TIMEOUT, parsed.scheme() == "https").build().map_err(|_| wrong())?;
        Ok(Gateway { url: parsed, client, instance: machine() })
    }

    /// As it is called in messages: without credentials.
    pub fn name(&self) -> String {
        format!("the Pushgateway at {}", shown(self.url.as_str()))
    }

    pub(super) async fn push(&self, gathered: &Gathered, pipeline: &str) -> Result<(), PushError> {
        let mut url = self.url.clone();
        let groups = [group("instance", &self.instance), group("pipeline", pipeline)];
        url.set_path(&format!("{}/metrics/job/{JOB}{}", self.url.path().trim_end_matches('/'), groups.concat()));
        let form = Form::Prometheus;
        let request = self.client.put(url).header("content-type", form.content_type()).body(gathered.text(form));
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        Err(PushError::Refused { status: status.to_string(), said: said(&answer.text().await.unwrap_or_default()) })
    }
}

/// The name of this machine.
fn machine() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = kernel.or_else(|| std::env::var("HOSTNAME").ok()).map(|name| name.trim().to_owned());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "localhost".into())
}

/// A label of a group as a part of the path: in base64 when it has what a path has no room for.
fn group(label: &str, value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if !value.is_empty() && ![".", ".."].contains(&value) && value.bytes().all(plain) {
        return format!("/{label}/{value}");
    }
    // An empty value is a single padding character there.
    let encoded = if value.is_empty() { "=".into() } else { base64(value.as_bytes()) };
    format!("/{label}@base64/{encoded}")
}

/// URL-safe and without padding (RFC 4648, section 5).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let group = |three: &[u8]| {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        (0..=three.len()).map(move |sixth| ALPHABET[(bits >> (18 - 6 * sixth)) as usize & 63] as char).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against a name that ends up as another group, or as no path at all. The encodings are those of Pushgateway's README
    /// and RFC 4648.
    #[test]
    fn a_name_that_a_path_has_no_room_for_is_encoded() {
        assert_eq!(group("pipeline", "by-carrier_1.2"), "/pipeline/by-carrier_1.2");
        assert_eq!(group("path", "/var/tmp"), "/path@base64/L3Zhci90bXA");
        assert_eq!(group("name", "Προμηθεύς"), "/name@base64/zqDPgc6_zrzOt864zrXPjc-C");
        assert_eq!(group("name", ""), "/name@base64/=");
        assert_eq!(group("name", ".."), "/name@base64/Li4");
        assert_eq!(["f", "fo", "foo", "foobar"].map(|text| base64(text.as_bytes())), ["Zg", "Zm8", "Zm9v", "Zm9vYmFy"]);
    }

    /// Protects against a push to `/metrics/job/x/metrics/job/parshall`, which a gateway takes for a group of that name.
    #[test]
    fn a_url_with_a_group_of_its_own_is_refused_with_a_hint() {
        for wrong in ["http://host:9091/metrics/job/x", "http://host/metrics", "http://host/behind/metrics/job/x/", "http://host/?job=x"] {
            let told = Gateway::new(wrong).err().unwrap().to_string();
            assert!(told.contains("leave out `/metrics`"), "{told}");
        }
        assert!(Gateway::new("http://host/behind/a/proxy").is_ok());
    }

    #[test]
    fn a_password_is_not_told() {
        let gateway = Gateway::new("http://me:secret@127.0.0.1:9091/gateway").unwrap();
        assert_eq!(gateway.name(), "the Pushgateway at http://127.0.0.1:9091/gateway");
        assert!(Gateway::new("127.0.0.1:9091").is_err() && Gateway::new("ftp://host").is_err());
    }
}
