//! `telemetry`: spans, logs, counters and histograms of the guest's own, bounded.

use wasmtime::{
    StoreContextMut,
    component::{Linker, LinkerInstance, Resource, ResourceType},
};

use super::printable::{admit, printable};
use crate::{
    wasm::{
        contract::{Attribute, Level, SpanContext, Value},
        host::Host,
        spans::Span,
    },
    words::{guest_span::Value as Said, trace},
};

/// Links the interface.
pub fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    let mut telemetry = linker.instance(&super::interface("telemetry"))?;
    link_spans(&mut telemetry)?;
    telemetry.func_wrap("log", |mut store: StoreContextMut<'_, Host>, (level, message, attributes): (Level, String, Vec<Attribute>)| {
        store.data_mut().work(|host| log(host, level, &message, &attributes));
        Ok(())
    })?;
    telemetry.func_wrap("count", |mut store: StoreContextMut<'_, Host>, (name, by): (String, u64)| {
        store.data_mut().work(|host| count(host, name, by));
        Ok(())
    })?;
    telemetry.func_wrap("observe", |mut store: StoreContextMut<'_, Host>, (name, value): (String, f64)| {
        store.data_mut().work(|host| observe(host, name, value));
        Ok(())
    })?;
    Ok(())
}

fn link_spans(telemetry: &mut LinkerInstance<'_, Host>) -> wasmtime::Result<()> {
    telemetry.resource("span", ResourceType::host::<Span>(), |mut store: StoreContextMut<'_, Host>, rep| {
        store.data_mut().work(|host| {
            let span = host.handles.delete(Resource::<Span>::new_own(rep))?;
            host.meter.spans.close(&span);
            Ok(())
        })
    })?;
    telemetry.func_wrap("[constructor]span", |mut store: StoreContextMut<'_, Host>, (name,): (String,)| {
        store.data_mut().work(|host| {
            let span = host.meter.spans.open(|| printable(&name, NAME), host.limits.spans, &mut host.meter.dropped);
            Ok((host.handles.push(span)?,))
        })
    })?;
    telemetry.func_wrap("[method]span.set", |mut store: StoreContextMut<'_, Host>, (span, attribute): (Resource<Span>, Attribute)| {
        store.data_mut().work(|host| {
            let (Attribute { key, value }, text) = (attribute, host.limits.log_bytes);
            let (key, value) = (|| printable(&key, NAME), || said(value, text));
            let span = host.handles.get(&span)?;
            host.meter.spans.set(span, key, value, host.limits.span_attributes, &mut host.meter.dropped);
            Ok(())
        })
    })?;
    telemetry.func_wrap(
        "[method]span.event",
        |mut store: StoreContextMut<'_, Host>, (span, name, attributes): (Resource<Span>, String, Vec<Attribute>)| {
            store.data_mut().work(|host| {
                let (limit, text) = (host.limits.span_attributes, host.limits.log_bytes);
                let kept = attributes.len().min(limit as usize);
                host.meter.dropped += (attributes.len() - kept) as u64;
                let attribute = |attribute: Attribute| (printable(&attribute.key, NAME), said(attribute.value, text));
                let said = || (printable(&name, NAME), attributes.into_iter().take(kept).map(attribute).collect());
                host.meter.spans.event(host.handles.get(&span)?, said, limit, &mut host.meter.dropped);
                Ok(())
            })
        },
    )?;
    telemetry.func_wrap("[method]span.fail", |mut store: StoreContextMut<'_, Host>, (span, message): (Resource<Span>, String)| {
        store.data_mut().work(|host| {
            let text = host.limits.log_bytes as usize;
            host.meter.spans.fail(host.handles.get(&span)?, || printable(&message, text));
            Ok(())
        })
    })?;
    telemetry.func_wrap("current", |_: StoreContextMut<'_, Host>, (): ()| {
        Ok((trace::current().map(|context| SpanContext {
            trace_id: context.trace.to_string(),
            span_id: context.span.to_string(),
            sampled: context.sampled,
        }),))
    })
}

/// An attribute's value within its bounds.
fn said(value: Value, text: u64) -> Said {
    match value {
        Value::Text(value) => Said::Text(printable(&value, text as usize)),
        Value::Integer(value) => Said::Integer(value),
        Value::Number(value) => Said::Number(value),
        Value::Flag(value) => Said::Flag(value),
    }
}

/// Bytes of the name of a metric, a span or an attribute; Prometheus and OpenTelemetry both live well below.
const NAME: usize = 256;

fn count(host: &mut Host, name: String, by: u64) {
    if let Some((_, value)) = host.meter.said.counters.iter_mut().find(|(known, _)| *known == name) {
        *value = value.saturating_add(by);
    } else if (host.meter.said.counters.len() as u64) < host.limits.metrics && name.len() <= NAME {
        host.meter.said.counters.push((name, by));
    } else {
        host.meter.dropped += 1;
    }
}

fn observe(host: &mut Host, name: String, value: f64) {
    // One value that is no number would make a sum useless for good, and one below 0 would let it fall.
    let sound = value.is_finite() && value >= 0.0;
    // As many observations a call as metrics: a stage observes once a batch.
    if sound && (host.meter.said.observations.len() as u64) < host.limits.metrics && name.len() <= NAME {
        host.meter.said.observations.push((name, value));
    } else {
        host.meter.dropped += 1;
    }
}

fn log(host: &mut Host, level: Level, message: &str, attributes: &[Attribute]) {
    if !admit(&mut host.meter, &host.limits) {
        return;
    }
    let text = printable(message, host.limits.log_bytes as usize);
    let attributes = attached(host, attributes, text.len());
    let attributes = attributes.as_deref();
    let stage = host.stage.as_str();
    match level {
        Level::Trace => tracing::trace!(target: "guest", stage, guest.attributes = attributes, "{text}"),
        Level::Debug => tracing::debug!(target: "guest", stage, guest.attributes = attributes, "{text}"),
        Level::Info => tracing::info!(target: "guest", stage, guest.attributes = attributes, "{text}"),
        Level::Warn => tracing::warn!(target: "guest", stage, guest.attributes = attributes, "{text}"),
        Level::Error => tracing::error!(target: "guest", stage, guest.attributes = attributes, "{text}"),
    }
}

/// The attributes of a record as a JSON object, which a field of an event can hold: as many as a span may have, and no more bytes
/// than the record has left after its text.
fn attached(host: &mut Host, attributes: &[Attribute], text: usize) -> Option<String> {
    let kept = attributes.len().min(host.limits.span_attributes as usize);
    host.meter.dropped += (attributes.len() - kept) as u64;
    let mut left = (host.limits.log_bytes as usize).saturating_sub(text);
    let mut object = serde_json::Map::new();
    for attribute in &attributes[..kept] {
        let (key, value) = (printable(&attribute.key, NAME.min(left)), shown(&attribute.value, left));
        let Some(rest) = left.checked_sub(key.len() + value.as_str().map_or(8, str::len)) else { break };
        left = rest;
        object.insert(key, value);
    }
    (!object.is_empty()).then(|| serde_json::Value::Object(object).to_string())
}

fn shown(value: &Value, limit: usize) -> serde_json::Value {
    match value {
        Value::Text(text) => printable(text, limit).into(),
        Value::Integer(integer) => (*integer).into(),
        // JSON has no infinity.
        Value::Number(number) if !number.is_finite() => number.to_string().into(),
        Value::Number(number) => (*number).into(),
        Value::Flag(flag) => (*flag).into(),
    }
}
