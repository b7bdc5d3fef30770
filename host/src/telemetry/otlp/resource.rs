//! Who it is that tells: the resource of everything that leaves by OTLP, and the scope of spans and log records.

use std::sync::LazyLock;

use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::{Resource, resource::TelemetryResourceDetector};

use super::{Environment, WrongVariable};
use crate::words::trace::TraceId;

/// Named by `OTEL_SERVICE_NAME`, or by `service.name` among `OTEL_RESOURCE_ATTRIBUTES`, or `parshall`.
pub fn resource(environment: &Environment) -> Result<Resource, WrongVariable> {
    let told = environment.pairs("OTEL_RESOURCE_ATTRIBUTES")?;
    let mut attributes = vec![
        KeyValue::new("service.name", "parshall"),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", instance()),
        KeyValue::new("process.pid", i64::from(std::process::id())),
        KeyValue::new("process.runtime.name", "rustc"),
    ];
    // Later ones replace earlier ones of the same name.
    attributes.extend(told.into_iter().map(|(key, value)| KeyValue::new(key, value)));
    attributes.extend(environment.get("OTEL_SERVICE_NAME").map(|name| KeyValue::new("service.name", name.to_owned())));
    Ok(Resource::builder_empty().with_detector(Box::new(TelemetryResourceDetector)).with_attributes(attributes).build())
}

/// This program.
pub fn scope() -> InstrumentationScope {
    static SCOPE: LazyLock<InstrumentationScope> =
        LazyLock::new(|| InstrumentationScope::builder("parshall").with_version(env!("CARGO_PKG_VERSION")).build());
    SCOPE.clone()
}

/// A random UUID (RFC 9562, version 4), as the conventions want it: two processes of one service are told apart by it.
fn instance() -> String {
    let random = TraceId::fresh().0.get();
    let id = random & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{id:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use opentelemetry::Key;

    use super::*;

    #[test]
    fn the_service_is_named_by_the_variable_made_for_it() {
        let environment = Environment::of([
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=one,deployment.environment.name=a%20b"),
            ("OTEL_SERVICE_NAME", "two"),
        ]);
        let resource = resource(&environment).unwrap();
        let told = |key: &'static str| resource.get(&Key::new(key)).map(|value| value.to_string());
        assert_eq!(told("service.name").as_deref(), Some("two"));
        assert_eq!(told("deployment.environment.name").as_deref(), Some("a b"));
        let id = told("service.instance.id").unwrap();
        assert_eq!((id.len(), &id[14..15]), (36, "4"));
        assert!("89ab".contains(&id[19..20]), "{id}");
    }
}
