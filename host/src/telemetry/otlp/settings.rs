//! Where one signal goes and how: `OTEL_EXPORTER_OTLP_*` and, before it, `OTEL_EXPORTER_OTLP_TRACES_*` and its like.

use std::{fs, path::PathBuf, time::Duration};

use super::{Environment, WrongVariable, shown};
use crate::telemetry::health::Signal;

/// How long an export may take, in milliseconds: `OTEL_EXPORTER_OTLP_TIMEOUT`, 10 s as the specification says.
const TIMEOUT: u64 = 10_000;
/// How long the last flush of a signal may take, in milliseconds: `PARSHALL_TELEMETRY_FLUSH`.
const FLUSH: u64 = 5_000;
/// An hour, in milliseconds: nobody means to wait longer for telemetry.
const HOUR: u64 = 3_600_000;

/// Where one signal goes and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The whole URL: over HTTP with the signal's path, over gRPC without one.
    pub endpoint: String,
    /// How.
    pub protocol: Protocol,
    /// Sent with every request: credentials, most often.
    pub headers: Vec<(String, String)>,
    /// How long an export may take, its repetitions included.
    pub timeout: Duration,
    /// Whether requests are compressed with gzip.
    pub gzip: bool,
    /// Certificates (PEM) that a server must be signed by; the usual ones if there are none.
    pub certificate: Option<Vec<u8>>,
    /// Who this client is, for servers that ask.
    pub client: Option<ClientIdentity>,
}

/// A client's certificate and its key (PEM).
#[derive(Clone, Debug, PartialEq)]
pub struct ClientIdentity {
    /// The certificate, with those that signed it.
    pub certificate: Vec<u8>,
    /// Its private key.
    pub key: Vec<u8>,
}

/// The two transports of OTLP that are spoken here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `grpc`
    Grpc,
    /// `http/protobuf`, the default.
    Http,
}

/// Whether all of OpenTelemetry is switched off: `OTEL_SDK_DISABLED`.
pub fn disabled(environment: &Environment) -> Result<bool, WrongVariable> {
    environment.flag("OTEL_SDK_DISABLED")
}

/// How long the last flush of a signal may take, at the end of a run: `PARSHALL_TELEMETRY_FLUSH`, in milliseconds.
pub fn flush_deadline(environment: &Environment) -> Result<Duration, WrongVariable> {
    environment.number("PARSHALL_TELEMETRY_FLUSH", FLUSH, 0..=HOUR).map(Duration::from_millis)
}

// === impl Settings ===

impl Settings {
    /// The collector, as messages may name it: the endpoint without its secrets and without the path of a signal.
    pub fn collector(&self) -> String {
        let shown = shown(&self.endpoint);
        let base = ["/v1/traces", "/v1/logs", "/v1/metrics"].into_iter().find_map(|path| shown.strip_suffix(path));
        base.unwrap_or(&shown).to_owned()
    }

    /// Those of a signal, if it goes anywhere: an endpoint is set, or its exporter is said to be `otlp`, and nothing says
    /// otherwise.
    pub fn read(signal: Signal, environment: &Environment) -> Result<Option<Self>, WrongVariable> {
        if disabled(environment)? {
            return Ok(None);
        }
        let of = Variables { signal, environment };
        let exporter = of.exporter()?;
        let named = of.find("ENDPOINT").is_some();
        if exporter == Some(false) || (exporter.is_none() && !named) {
            return Ok(None);
        }
        let protocol = of.protocol()?;
        Ok(Some(Settings {
            endpoint: of.endpoint(protocol)?,
            protocol,
            headers: of.headers()?,
            timeout: Duration::from_millis(environment.number(&of.name("TIMEOUT"), TIMEOUT, 1..=HOUR)?),
            gzip: of.gzip()?,
            certificate: of.file("CERTIFICATE")?,
            client: of.client()?,
        }))
    }
}

/// The variables of one signal.
struct Variables<'a> {
    signal: Signal,
    environment: &'a Environment,
}

impl Variables<'_> {
    fn signal(&self) -> &'static str {
        match self.signal {
            Signal::Spans => "TRACES",
            Signal::Logs => "LOGS",
            Signal::Metrics => "METRICS",
        }
    }

    /// The variable that counts: the signal's own before that of all.
    fn name(&self, what: &str) -> String {
        let own = format!("OTEL_EXPORTER_OTLP_{}_{what}", self.signal());
        if self.environment.get(&own).is_some() { own } else { format!("OTEL_EXPORTER_OTLP_{what}") }
    }

    /// It, and its value.
    fn find(&self, what: &str) -> Option<(String, &str)> {
        let name = self.name(what);
        self.environment.get(&name).map(|value| (name, value))
    }

    /// `OTEL_TRACES_EXPORTER` and its like: whether OTLP is among what it names.
    fn exporter(&self) -> Result<Option<bool>, WrongVariable> {
        // Metrics are always there to be scraped, so that name says nothing here.
        let others: &[&str] = if self.signal == Signal::Metrics { &["none", "prometheus"] } else { &["none"] };
        let expected = if self.signal == Signal::Metrics { "`otlp`, `prometheus` or `none`" } else { "`otlp` or `none`" };
        let read = |value: &str| {
            let names: Vec<_> = value.split(',').map(str::trim).collect();
            names.iter().all(|name| *name == "otlp" || others.contains(name)).then(|| names.contains(&"otlp"))
        };
        self.environment.read(&format!("OTEL_{}_EXPORTER", self.signal()), expected, read)
    }

    fn protocol(&self) -> Result<Protocol, WrongVariable> {
        let read = |value: &str| match value {
            "grpc" => Some(Protocol::Grpc),
            "http/protobuf" => Some(Protocol::Http),
            _ => None,
        };
        Ok(self.environment.read(&self.name("PROTOCOL"), "`grpc` or `http/protobuf`", read)?.unwrap_or(Protocol::Http))
    }

    fn endpoint(&self, protocol: Protocol) -> Result<String, WrongVariable> {
        let (name, value) = self.find("ENDPOINT").unwrap_or_else(|| {
            // Asked for by `OTEL_TRACES_EXPORTER=otlp` alone: the collector beside us, as the specification says.
            let beside = if protocol == Protocol::Grpc { "http://localhost:4317" } else { "http://localhost:4318" };
            ("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), beside)
        });
        let mut text = value.to_owned();
        if protocol == Protocol::Grpc && !value.contains("://") {
            let scheme = if self.environment.flag(&self.name("INSECURE"))? { "http" } else { "https" };
            text = format!("{scheme}://{value}");
        }
        let wrong = || WrongVariable::new(&name, &shown(value), "a URL such as `http://localhost:4318`");
        let url = reqwest::Url::parse(&text).map_err(|_| wrong())?;
        if !["http", "https"].contains(&url.scheme()) || !url.has_host() || text.parse::<http::Uri>().is_err() {
            return Err(wrong());
        }
        // That of all signals is where their paths begin; that of one signal is taken to the letter.
        if protocol == Protocol::Http && name == "OTEL_EXPORTER_OTLP_ENDPOINT" {
            let (base, rest) = text.split_at(text.find(['?', '#']).unwrap_or(text.len()));
            let query = rest.split('#').next().unwrap_or_default();
            text = format!("{}/v1/{}{query}", base.trim_end_matches('/'), self.signal().to_ascii_lowercase());
        }
        Ok(text)
    }

    fn headers(&self) -> Result<Vec<(String, String)>, WrongVariable> {
        let name = self.name("HEADERS");
        // The values may be secrets, so they are not repeated.
        let pairs = self.environment.pairs(&name).map_err(|wrong| WrongVariable { value: "…".into(), ..wrong })?;
        let sound = |(key, value): &(String, String)| {
            key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.!#$&'*+^`|~".contains(&byte))
                && value.bytes().all(|byte| (0x20..0x7f).contains(&byte))
        };
        match pairs.iter().find(|pair| !sound(pair)) {
            Some((key, _)) => Err(WrongVariable::new(&name, &format!("{key}=…"), "headers that HTTP allows")),
            None => Ok(pairs.into_iter().map(|(key, value)| (key.to_ascii_lowercase(), value)).collect()),
        }
    }

    fn gzip(&self) -> Result<bool, WrongVariable> {
        let read = |value: &str| match value {
            "gzip" => Some(true),
            "none" => Some(false),
            _ => None,
        };
        Ok(self.environment.read(&self.name("COMPRESSION"), "`gzip` or `none`", read)?.unwrap_or(false))
    }

    fn file(&self, what: &str) -> Result<Option<Vec<u8>>, WrongVariable> {
        let Some((name, path)) = self.find(what) else { return Ok(None) };
        let bytes = fs::read(PathBuf::from(path)).map_err(|error| WrongVariable::new(&name, path, format!("a file of PEM ({error})")))?;
        if !bytes.windows(11).any(|window| window == b"-----BEGIN ") {
            return Err(WrongVariable::new(&name, path, "a file of PEM"));
        }
        Ok(Some(bytes))
    }

    fn client(&self) -> Result<Option<ClientIdentity>, WrongVariable> {
        match (self.file("CLIENT_CERTIFICATE")?, self.file("CLIENT_KEY")?) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(ClientIdentity { certificate, key })),
            (certificate, _) => {
                let (there, missing) =
                    if certificate.is_some() { ("CLIENT_CERTIFICATE", "CLIENT_KEY") } else { ("CLIENT_KEY", "CLIENT_CERTIFICATE") };
                let (name, value) = self.find(there).unwrap_or_default();
                Err(WrongVariable::new(&name, value, format!("`{}` beside it", self.name(missing))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<const N: usize>(variables: [(&str, &str); N]) -> Result<Option<Settings>, WrongVariable> {
        Settings::read(Signal::Spans, &Environment::of(variables))
    }

    const ALL: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/");

    #[test]
    fn nothing_is_exported_unless_somebody_says_where() {
        assert_eq!(read([]), Ok(None));
        assert_eq!(read([ALL, ("OTEL_SDK_DISABLED", "true")]), Ok(None));
        assert_eq!(read([ALL, ("OTEL_TRACES_EXPORTER", "none")]), Ok(None));
        assert!(read([ALL]).unwrap().is_some());
        let beside = read([("OTEL_TRACES_EXPORTER", "otlp")]).unwrap().unwrap();
        assert_eq!(beside.endpoint, "http://localhost:4318/v1/traces");
    }

    #[test]
    fn the_signals_own_variable_comes_first_and_is_taken_to_the_letter() {
        assert_eq!(read([ALL]).unwrap().unwrap().endpoint, "http://collector:4318/v1/traces");
        let own = read([ALL, ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://other/x"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "200")]);
        let own = own.unwrap().unwrap();
        assert_eq!((own.endpoint.as_str(), own.timeout), ("http://other/x", Duration::from_millis(200)));
        let grpc = [("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")];
        assert_eq!(read(grpc).unwrap().unwrap().endpoint, "https://collector:4317");
        let insecure = [grpc[0], grpc[1], ("OTEL_EXPORTER_OTLP_INSECURE", "true")];
        assert_eq!(read(insecure).unwrap().unwrap().endpoint, "http://collector:4317");
    }

    #[test]
    fn a_query_stays_behind_the_signals_path() {
        for (told, endpoint) in [
            ("http://user:pw@host:1/x?token=abc", "http://user:pw@host:1/x/v1/traces?token=abc"),
            ("http://host/?token=a/b", "http://host/v1/traces?token=a/b"),
            ("http://host#part", "http://host/v1/traces"),
        ] {
            assert_eq!(read([("OTEL_EXPORTER_OTLP_ENDPOINT", told)]).unwrap().unwrap().endpoint, endpoint);
        }
    }

    /// Protects against credentials that are told in the message that they are wrong.
    #[test]
    fn what_is_wrong_is_told_without_its_secrets() {
        for (variable, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:secret@:1/?token=secret"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://user:secret@host"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization secret"),
        ] {
            let told = read([ALL, (variable, value)]).unwrap_err().to_string();
            assert!(told.contains(variable) && !told.contains("secret"), "{told}");
        }
    }

    /// Protects against telemetry that goes nowhere because of a typing mistake, silently.
    #[test]
    fn a_wrong_value_is_an_error_that_names_its_variable() {
        for (variable, value) in [
            ("OTEL_TRACES_EXPORTER", "zipkin"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a b=c"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "no/such/file.pem"),
            ("OTEL_SDK_DISABLED", "1"),
        ] {
            assert_eq!(read([ALL, (variable, value)]).unwrap_err().variable, variable);
        }
    }
}
