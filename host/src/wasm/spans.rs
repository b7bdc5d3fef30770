//! The spans that a guest has open within a call, innermost last, and those that have ended.

use std::time::Instant;

use crate::words::{
    guest_span::{GuestEvent, GuestSpan, Role, Value},
    trace::{self, SpanContext, SpanId},
};

/// A guest's span as a resource. None when it is not recorded: the call is not sampled, or has too many.
pub struct Span(Option<SpanId>);

/// The spans of one call.
#[derive(Debug, Default)]
pub struct Spans {
    /// The call's own.
    call: Option<SpanContext>,
    open: Vec<GuestSpan>,
    ended: Vec<GuestSpan>,
}

impl Spans {
    /// Of a call in this span.
    pub fn begin(call: Option<SpanContext>) -> Self {
        Spans { call, ..Spans::default() }
    }

    /// Opens a child of the innermost open span. Here and below, texts are only made where they are kept.
    pub fn open(&mut self, name: impl FnOnce() -> String, limit: u64, dropped: &mut u64) -> Span {
        let Some(call) = self.call.filter(|call| call.sampled) else {
            return Span(None);
        };
        if (self.open.len() + self.ended.len()) as u64 >= limit {
            *dropped += 1;
            return Span(None);
        }
        let (id, now) = (SpanId::fresh(), Instant::now());
        let parent = self.open.last().map_or(call.span, |span| span.id);
        self.open.push(GuestSpan {
            name: name(),
            role: Role::Internal,
            id,
            parent,
            started: now,
            ended: now,
            attributes: Vec::new(),
            events: Vec::new(),
            error: None,
        });
        self.tell();
        Span(Some(id))
    }

    /// Adds a span that has ended already, such as that of an outgoing request.
    pub fn add(&mut self, span: GuestSpan, limit: u64, dropped: &mut u64) {
        if ((self.open.len() + self.ended.len()) as u64) < limit {
            self.ended.push(span);
        } else {
            *dropped += 1;
        }
    }

    /// Ends a span. Those within it may go on: guests drop in any order.
    pub fn close(&mut self, span: &Span) {
        if let Some(at) = self.at(span) {
            let mut span = self.open.remove(at);
            span.ended = Instant::now();
            self.ended.push(span);
            self.tell();
        }
    }

    /// Sets an attribute; the last value counts.
    pub fn set(&mut self, span: &Span, key: impl FnOnce() -> String, value: impl FnOnce() -> Value, limit: u64, dropped: &mut u64) {
        let Some(at) = self.at(span) else { return };
        let key = key();
        let attributes = &mut self.open[at].attributes;
        match attributes.iter().position(|(known, _)| *known == key) {
            Some(known) => attributes[known].1 = value(),
            None if (attributes.len() as u64) < limit => attributes.push((key, value())),
            None => *dropped += 1,
        }
    }

    /// Adds an event at this moment.
    pub fn event(&mut self, span: &Span, said: impl FnOnce() -> (String, Vec<(String, Value)>), limit: u64, dropped: &mut u64) {
        let Some(at) = self.at(span) else { return };
        let events = &mut self.open[at].events;
        match (events.len() as u64) < limit {
            true => {
                let (name, attributes) = said();
                events.push(GuestEvent { name, at: Instant::now(), attributes });
            }
            false => *dropped += 1,
        }
    }

    /// Marks a span as failed.
    pub fn fail(&mut self, span: &Span, message: impl FnOnce() -> String) {
        if let Some(at) = self.at(span) {
            self.open[at].error = Some(message());
        }
    }

    /// Ends the call, and every span with it.
    pub fn end(mut self) -> Vec<GuestSpan> {
        if !self.open.is_empty() {
            let now = Instant::now();
            self.ended.extend(self.open.into_iter().rev().map(|span| GuestSpan { ended: now, ..span }));
            trace::set_current(self.call);
        }
        self.ended
    }

    fn at(&self, span: &Span) -> Option<usize> {
        span.0.and_then(|id| self.open.iter().rposition(|open| open.id == id))
    }

    /// Whatever is logged now belongs to the innermost open span.
    fn tell(&self) {
        let innermost = |call: SpanContext| self.open.last().map_or(call, |span| SpanContext { span: span.id, ..call });
        trace::set_current(self.call.map(innermost));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against children that hang below the wrong span when a guest drops its spans out of order.
    #[test]
    fn spans_nest_by_what_is_open_and_end_with_the_call() {
        let call = SpanContext::root(true);
        let mut dropped = 0;
        let mut spans = Spans::begin(Some(call));
        let outer = spans.open(|| "outer".into(), 9, &mut dropped);
        let inner = spans.open(|| "inner".into(), 9, &mut dropped);
        spans.close(&outer);
        assert_eq!(trace::current().map(|context| context.span), inner.0);
        let last = spans.open(|| "last".into(), 9, &mut dropped);
        spans.close(&inner);
        spans.set(&last, || "key".into(), || Value::Integer(1), 1, &mut dropped);
        spans.set(&last, || "key".into(), || Value::Integer(2), 1, &mut dropped);
        spans.set(&last, || "more".into(), || Value::Integer(3), 1, &mut dropped);
        let ended = spans.end();
        assert_eq!(trace::current(), Some(call));
        let parents: Vec<_> = ended.iter().map(|span| (span.name.as_str(), span.parent)).collect();
        assert_eq!(parents, [("outer", call.span), ("inner", outer.0.unwrap()), ("last", inner.0.unwrap())]);
        assert_eq!(ended[2].attributes, [("key".to_owned(), Value::Integer(2))]);
        assert_eq!(dropped, 1);
        trace::set_current(None);
    }

    /// Protects against a guest that opens spans without end, and against paying for spans nobody records.
    #[test]
    fn spans_are_bounded_and_none_is_kept_of_an_unsampled_call() {
        let mut dropped = 0;
        let mut spans = Spans::begin(Some(SpanContext::root(true)));
        for _ in 0..5 {
            let span = spans.open(|| "one".into(), 2, &mut dropped);
            spans.close(&span);
        }
        let last = spans.open(|| unreachable!("what is dropped is not made"), 2, &mut dropped);
        spans.fail(&last, || unreachable!("nor is what is said of it"));
        assert_eq!((spans.end().len(), dropped), (2, 4));
        let mut spans = Spans::begin(Some(SpanContext::root(false)));
        assert!(spans.open(|| "one".into(), 2, &mut dropped).0.is_none());
        assert_eq!((spans.end().len(), dropped), (0, 4));
        trace::set_current(None);
    }
}
