//! `telemetry`: logs, counters and histograms of the guest's own, bounded. Spans are accepted, and recorded by nobody
//! until the telemetry floor exists; `current` says that no call is traced, so a guest need not open any.

use wasmtime::{
    StoreContextMut,
    component::{Linker, Resource, ResourceType},
};

use super::printable::{admit, printable};
use crate::wasm::{
    contract::{Attribute, Level, SpanContext, Value},
    host::{Host, Span},
};

/// Links the interface.
pub fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    let mut telemetry = linker.instance(&super::interface("telemetry"))?;
    telemetry.resource("span", ResourceType::host::<Span>(), |mut store: StoreContextMut<'_, Host>, rep| {
        store.data_mut().handles.delete(Resource::<Span>::new_own(rep))?;
        Ok(())
    })?;
    telemetry.func_wrap("[constructor]span", |mut store: StoreContextMut<'_, Host>, (_name,): (String,)| {
        Ok((store.data_mut().handles.push(Span)?,))
    })?;
    telemetry.func_wrap("[method]span.set", |_: StoreContextMut<'_, Host>, (_span, _attribute): (Resource<Span>, Attribute)| Ok(()))?;
    telemetry.func_wrap(
        "[method]span.event",
        |_: StoreContextMut<'_, Host>, (_span, _name, _attributes): (Resource<Span>, String, Vec<Attribute>)| Ok(()),
    )?;
    telemetry.func_wrap("[method]span.fail", |_: StoreContextMut<'_, Host>, (_span, _message): (Resource<Span>, String)| Ok(()))?;
    telemetry.func_wrap("current", |_: StoreContextMut<'_, Host>, (): ()| Ok((None::<SpanContext>,)))?;
    telemetry.func_wrap("log", |mut store: StoreContextMut<'_, Host>, (level, message, attributes): (Level, String, Vec<Attribute>)| {
        log(store.data_mut(), level, message, &attributes);
        Ok(())
    })?;
    telemetry.func_wrap("count", |mut store: StoreContextMut<'_, Host>, (name, by): (String, u64)| {
        count(store.data_mut(), name, by);
        Ok(())
    })?;
    telemetry.func_wrap("observe", |mut store: StoreContextMut<'_, Host>, (name, value): (String, f64)| {
        let host = store.data_mut();
        // As many observations a call as metrics: a stage observes once a batch.
        if (host.meter.observations.len() as u64) < host.limits.metrics && name.len() <= NAME {
            host.meter.observations.push((name, value));
        } else {
            host.meter.dropped += 1;
        }
        Ok(())
    })?;
    Ok(())
}

/// Bytes of a metric's name; Prometheus and OpenTelemetry both live well below.
const NAME: usize = 256;

fn count(host: &mut Host, name: String, by: u64) {
    if let Some((_, value)) = host.meter.counters.iter_mut().find(|(known, _)| *known == name) {
        *value = value.saturating_add(by);
    } else if (host.meter.counters.len() as u64) < host.limits.metrics && name.len() <= NAME {
        host.meter.counters.push((name, by));
    } else {
        host.meter.dropped += 1;
    }
}

fn log(host: &mut Host, level: Level, message: String, attributes: &[Attribute]) {
    if !admit(&mut host.meter, &host.limits) {
        return;
    }
    let mut text = message;
    for attribute in attributes {
        text.push_str(&format!(" {}={}", attribute.key, shown(&attribute.value)));
    }
    let text = printable(&text, host.limits.log_bytes as usize);
    let stage = host.stage.as_str();
    match level {
        Level::Trace => tracing::trace!(target: "guest", stage, "{text}"),
        Level::Debug => tracing::debug!(target: "guest", stage, "{text}"),
        Level::Info => tracing::info!(target: "guest", stage, "{text}"),
        Level::Warn => tracing::warn!(target: "guest", stage, "{text}"),
        Level::Error => tracing::error!(target: "guest", stage, "{text}"),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("{text:?}"),
        Value::Integer(integer) => integer.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
    }
}
