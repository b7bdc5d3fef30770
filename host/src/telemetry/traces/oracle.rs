//! The bytes of [`super::encode`] against the way of the SDK: the same records as `SpanData` ([`super::expand`]), made messages of by
//! `opentelemetry_proto`.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use opentelemetry_proto::{
    tonic::collector::trace::v1::ExportTraceServiceRequest,
    transform::{common::tonic::ResourceAttributesWithSchema, trace::tonic::group_spans_by_resource_and_scope},
};
use prost::Message as _;

use super::{
    assemble::{Kept, What},
    expand::{Expand, Stages},
    record::{CallRecord, CheckpointRecord, Failure, Happened, PhaseRecord, Rare, RootRecord, RunRecord, SwapRecord},
    run::RunTraces,
    settings::Settings,
};
use crate::{
    telemetry::{
        health::Healths,
        otlp::{Envelope, Environment},
    },
    words::{
        blame::Blame,
        guest_span::{GuestEvent, GuestSpan, Request, Role, Value},
        observe::{Again, Export, RunFacts, StageFacts},
        stage::Kind,
        tables::Dataset,
        trace::{SpanContext, SpanId},
    },
};

/// Numbers, reproducibly (splitmix64, Steele et al. 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    /// Of every length that a number can have.
    fn number(&mut self) -> u64 {
        let bits = self.below(65);
        if bits == 0 { 0 } else { self.next() >> (64 - bits) }
    }

    fn nanoseconds(&mut self) -> u64 {
        self.number() >> 24
    }

    fn text(&mut self) -> String {
        let length = [0, 1, 7, 100, 127, 128, 300, 20_000][self.below(8) as usize];
        "żółw ".chars().cycle().take(length).collect()
    }

    fn value(&mut self) -> Value {
        match self.below(4) {
            0 => Value::Text(self.text()),
            1 => Value::Integer(self.number() as i64),
            2 => Value::Number(f64::from_bits(self.number() >> 12)),
            _ => Value::Flag(self.one_in(2)),
        }
    }

    fn pairs(&mut self) -> Vec<(String, Value)> {
        (0..self.below(4)).map(|_| (self.text(), self.value())).collect()
    }

    /// Before or after the moment that both clocks were read at.
    fn moment(&mut self, anchor: Instant) -> Instant {
        let away = Duration::from_nanos(self.nanoseconds() >> 8);
        if self.one_in(4) { anchor + away } else { anchor - away }
    }

    fn failure(&mut self) -> Failure {
        let blame = if self.one_in(2) { Blame::Guest } else { Blame::Host };
        Failure { reason: "trap", blame, message: self.text() }
    }

    fn context(&mut self) -> SpanContext {
        SpanContext::root(self.one_in(2))
    }

    fn dataset(&mut self) -> Dataset {
        let location = format!("s3://key:secret@bucket/{}", self.below(4));
        Dataset { location, format: "parquet", written: false }
    }

    fn guest(&mut self, anchor: Instant) -> GuestSpan {
        let asked = Request {
            method: "GET".into(),
            scheme: "https".into(),
            host: self.text(),
            port: self.next() as u16,
            path: self.text(),
            status: [Ok(200), Ok(404), Err("timeout")][self.below(3) as usize],
        };
        let event = |random: &mut Self| GuestEvent { name: random.text(), at: random.moment(anchor), attributes: random.pairs() };
        GuestSpan {
            name: self.text(),
            role: if self.one_in(2) { Role::Internal } else { Role::Client(Box::new(asked)) },
            id: SpanId::fresh(),
            parent: SpanId::fresh(),
            started: self.moment(anchor),
            ended: self.moment(anchor),
            attributes: self.pairs(),
            events: (0..self.below(3)).map(|_| event(self)).collect(),
            error: self.one_in(3).then(|| self.text()),
        }
    }

    fn rare(&mut self, anchor: Instant) -> Box<Rare> {
        Box::new(Rare {
            failure: self.one_in(2).then(|| self.failure()),
            spans: (0..self.below(4)).map(|_| self.guest(anchor)).collect(),
            datasets: (0..self.below(3)).map(|_| self.dataset()).collect(),
            columns: if self.one_in(2) { vec![128, 129, 131] } else { Vec::new() },
        })
    }

    fn call(&mut self, anchor: Instant) -> CallRecord {
        let exports = [Export::Next, Export::Process, Export::Finish, Export::Write, Export::Commit];
        CallRecord {
            span: SpanId::fresh(),
            batch: (!self.one_in(4)).then(|| self.number()),
            export: exports[self.below(5) as usize],
            stage: self.below(3) as u32,
            instance: self.number() as u32,
            generation: 1 + self.below(2) as u32,
            input: self.below(3) as u32,
            started: self.moment(anchor),
            waited: self.number(),
            guest: self.nanoseconds(),
            copy: self.nanoseconds(),
            host: self.nanoseconds(),
            fuel: self.number(),
            fuel_exact: self.one_in(2),
            again: Again::ALL.get(self.below(4) as usize).copied(),
            memory: self.number(),
            memory_growth: self.number(),
            bytes_read: self.number(),
            bytes_made: self.number(),
            bytes_stayed: self.number(),
            rows_in: self.number(),
            rows_out: self.number(),
            rows_filtered: self.number(),
            rows_rejected: self.number(),
            rows_held: self.number(),
            columns: u128::from(self.number()) << self.below(65),
            rare: self.one_in(2).then(|| self.rare(anchor)),
        }
    }

    fn root(&mut self, anchor: Instant) -> RootRecord {
        RootRecord {
            context: self.context(),
            sequence: self.number(),
            origin: self.below(3) as usize,
            started: self.moment(anchor),
            ended: self.moment(anchor),
            links: (0..self.below(3)).map(|_| self.context()).collect(),
            failed: self.one_in(3),
            rejected: self.one_in(3),
            dropped: self.one_in(3),
            void: false,
        }
    }

    fn swap(&mut self, anchor: Instant) -> SwapRecord {
        let version = |random: &mut Self| (random.number() as u32, random.text());
        SwapRecord {
            span: SpanId::fresh(),
            began: self.moment(anchor),
            ended: self.moment(anchor),
            stage: self.one_in(2).then(|| self.text()),
            trigger: "http",
            outcome: "rolled_back",
            failure: self.one_in(2).then(|| ("trap", self.text())),
            versions: [self.one_in(2).then(|| version(self)), self.one_in(2).then(|| version(self))],
            pause: Duration::from_nanos(self.nanoseconds()),
            phases: self.phases(anchor),
        }
    }

    fn checkpoint(&mut self, anchor: Instant) -> CheckpointRecord {
        CheckpointRecord {
            span: SpanId::fresh(),
            number: self.number(),
            began: self.moment(anchor),
            ended: self.moment(anchor),
            bytes: self.number(),
            outcome: ["taken", "failed", "given_up"][self.below(3) as usize],
            failure: self.one_in(2).then(|| (if self.one_in(2) { String::new() } else { self.text() }, self.failure())),
            phases: self.phases(anchor),
        }
    }

    fn phases(&mut self, anchor: Instant) -> Vec<PhaseRecord> {
        let phase = |random: &mut Self| {
            let name = ["load", "hand over", "drain"][random.below(3) as usize];
            PhaseRecord { span: SpanId::fresh(), name, began: random.moment(anchor), ended: random.moment(anchor) }
        };
        (0..self.below(5)).map(|_| phase(self)).collect()
    }

    fn what(&mut self, anchor: Instant) -> What {
        match self.below(6) {
            2 => What::Happened(Happened::Swap(self.swap(anchor))),
            3 => What::Happened(Happened::Checkpoint(self.checkpoint(anchor))),
            0 => What::Call(self.call(anchor)),
            1 => {
                let failure = self.one_in(2).then(|| ("passes".to_owned(), self.failure()));
                What::Run(RunRecord { ended: self.moment(anchor), outcome: "completed", rows: self.number(), failure })
            }
            _ => What::Batch(self.root(anchor), (0..self.below(5)).map(|_| self.call(anchor)).collect()),
        }
    }
}

fn facts() -> RunFacts {
    let stage = |name: &str, kind, datasets| StageFacts {
        name: name.into(),
        kind,
        component: "std:read".into(),
        version: "0.1.0".into(),
        digest: "3de1251d7a5e3de1251d7a5e".into(),
        instances: 1,
        sources: Vec::new(),
        columns: vec![(0..140).map(|n| format!("column_{n}")).collect(), Vec::new()],
        datasets,
        queue_bound: None,
        memory_limit: 0,
    };
    let own = vec![Dataset { location: "s3://key:secret@bucket/1".into(), format: "csv", written: false }];
    let stages = vec![
        stage("reads", Kind::Extract, own.clone()),
        stage("passes", Kind::Transform, own),
        stage(&"long ".repeat(60), Kind::Load, Vec::new()),
    ];
    RunFacts { pipeline: "flights".into(), stages, settings: Default::default() }
}

fn run(random: &mut Random, facts: &RunFacts) -> Arc<RunTraces> {
    let environment = Environment::of([("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")]);
    let parent = random.one_in(2).then(|| random.context());
    let settings = Settings { parent, trace_state: "vendor=abc,other=1".into(), ..Settings::read(&environment).unwrap() };
    Arc::new(RunTraces::new(facts, &settings, None, Healths::default(), Arc::default()))
}

fn expand(kept: &Kept, stages: &Stages, exception_events: bool) -> Vec<opentelemetry_sdk::trace::SpanData> {
    let (run, mut spans) = (&kept.run, Vec::new());
    let state = "vendor=abc,other=1".parse().unwrap();
    let expand = Expand { stages, anchor: kept.anchor, exception_events, state: (run.context.trace, &state) };
    match &kept.what {
        What::Batch(root, calls) => {
            spans.push(expand.root(root, run.context, calls.iter().find_map(CallRecord::failure)));
            calls.iter().for_each(|call| expand.call(call, root.context, &mut spans));
        }
        What::Call(call) => expand.call(call, run.context, &mut spans),
        What::Run(record) => spans.push(expand.run(record, run.context, run.parent, run.started.1)),
        What::Happened(Happened::Swap(swap)) => expand.swap(swap, run.context, &mut spans),
        What::Happened(Happened::Checkpoint(checkpoint)) => expand.checkpoint(checkpoint, run.context, &mut spans),
    }
    spans
}

/// Protects against spans that say something else than the SDK would have a collector read.
#[test]
fn the_bytes_are_the_messages_that_the_sdk_makes() {
    let (mut random, facts) = (Random(7), facts());
    let resource = Settings::read(&Environment::default()).unwrap().resource;
    let (envelope, attributes) = (Envelope::of(&resource), ResourceAttributesWithSchema::from(&resource));
    let mut stages = Stages::of(&facts);
    let swapped = StageFacts { digest: "ffffffffffff".into(), version: "0.2.0".into(), ..facts.stages[1].clone() };
    stages.add(1, 2, &swapped);
    for round in 0..5_000 {
        let run = run(&mut random, &facts);
        run.version(1, 2, &swapped);
        let anchor = (Instant::now(), SystemTime::now());
        let kept = Kept { what: random.what(anchor.0), run, anchor };
        let exception_events = random.one_in(2);
        let spans = expand(&kept, &stages, exception_events);
        assert_eq!(spans.len(), kept.spans());
        // In two requests or in one: as long as all are asked for once, they are the same spans.
        let (mut writer, cut) = (envelope.begin(), random.below(spans.len() as u64 + 1) as usize);
        kept.encode(0..cut, exception_events, &mut writer);
        kept.encode(cut..usize::MAX, exception_events, &mut writer);
        let bytes = envelope.close(writer);
        let told = ExportTraceServiceRequest::decode(bytes.clone()).unwrap_or_else(|error| panic!("round {round}: {error}"));
        let meant = ExportTraceServiceRequest { resource_spans: group_spans_by_resource_and_scope(spans, &attributes) };
        assert_eq!(told, meant, "round {round}");
        assert_eq!(bytes.len(), meant.encoded_len(), "round {round}: not a byte more than is needed");
    }
}
