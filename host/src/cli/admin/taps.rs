//! `GET /v1/stages/{stage}/tap`: batches of a stage as they pass, as JSON lines. Looking never holds up what flows: whoever reads too
//! slowly misses batches, and is told how many.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    thread,
    time::{Duration, Instant},
};

use arrow::json::{LineDelimitedWriter, WriterBuilder, writer::LineDelimited};
use axum::{
    Extension,
    body::Body,
    extract::{Path, Query, rejection::QueryRejection},
    http::header,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use http_body::Frame;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::{Admin, Problem};
use crate::{
    cli::live::Changes,
    pipeline::{
        plan::{PlannedStage, PortId},
        rejections,
        run::{Seen, Side, Stage, Tap},
    },
    words::{batch::RecordBatch, stage::Kind},
};

/// Rows of a batch that are shown unless somebody says otherwise.
const ROWS: usize = 10;
/// Most rows of a batch that are shown.
const MOST_ROWS: usize = 1_000;
/// Longest pause between two batches.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
/// Bytes of a batch's rows; what is beyond is not shown.
const MOST_BYTES: usize = 1 << 20;
/// Pieces that may wait for whoever reads.
const WAITING: usize = 4;
/// How long nothing may be said; then it is said that nothing happens.
const SILENCE: Duration = Duration::from_secs(5);
/// How often the end is looked for.
const GLANCE: Duration = Duration::from_millis(100);

/// What is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    side: Option<String>,
    port: Option<String>,
    every: Option<u64>,
    rows: Option<usize>,
    pause: Option<u64>,
}

/// Opens a tap.
pub async fn tap(
    Extension(admin): Extension<Arc<Admin>>,
    Path(name): Path<String>,
    query: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wanted) = query.map_err(|rejection| Problem::wrong_request(rejection.body_text()))?;
    let stage = admin.changes.graph().stages.named(&name).ok_or_else(|| Problem::no_stage(&name, &admin.changes))?;
    let view = View::of(&stage, &wanted)?;
    let tap = stage.taps.open().map_err(|error| Problem::too_many(error.to_string()))?;
    let (to, lines) = channel(WAITING);
    let show = Show { changes: Arc::clone(&admin.changes), stage, view, tap, to, last: None };
    let thread = thread::Builder::new().name(format!("tap {name}")).spawn(move || show.go_on());
    thread.map_err(|error| Problem::broken(format!("no thread could be started: {error}")))?;
    let headers = [(header::CONTENT_TYPE, "application/x-ndjson"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::new(Lines(lines))).into_response())
}

/// What somebody wants to see.
struct View {
    input: bool,
    /// All of them where none is named.
    port: Option<Side>,
    every: u64,
    rows: usize,
    /// How long nothing is shown after a batch was: what passes meanwhile is passed over, so what is shown is always fresh.
    pause: Duration,
}

impl View {
    fn of(stage: &Stage, wanted: &Wanted) -> Result<Self, Problem> {
        let input = match wanted.side.as_deref() {
            None => stage.kind == Kind::Load,
            Some("in") if stage.kind == Kind::Extract => return Err(Problem::wrong_request("nothing goes into an extract; `side=out`")),
            Some("out") if stage.kind == Kind::Load => return Err(Problem::wrong_request("nothing comes out of a load; `side=in`")),
            Some("in") => true,
            Some("out") => false,
            Some(other) => return Err(Problem::wrong_request(format!("`side` is `{other}`: expected `in` or `out`"))),
        };
        let planned = stage.planned();
        let port = wanted.port.as_deref().map(|name| side(&planned, input, name)).transpose()?;
        let every = wanted.every.unwrap_or(1);
        let rows = wanted.rows.unwrap_or(ROWS);
        if every == 0 || rows > MOST_ROWS {
            return Err(Problem::wrong_request(format!("`every` is at least 1, `rows` at most {MOST_ROWS}")));
        }
        let pause = Duration::from_millis(wanted.pause.unwrap_or(0));
        if pause > LONGEST_PAUSE {
            return Err(Problem::wrong_request(format!("`pause` is at most {} milliseconds", LONGEST_PAUSE.as_millis())));
        }
        Ok(View { input, port, every, rows, pause })
    }

    fn wants(&self, seen: &Seen) -> bool {
        matches!(seen.side, Side::In(_)) == self.input && self.port.is_none_or(|port| port == seen.side)
    }
}

fn side(planned: &PlannedStage, input: bool, name: &str) -> Result<Side, Problem> {
    let (known, found): (Vec<&str>, _) = if input {
        let names: Vec<_> = planned.opening.inputs.iter().map(|input| input.name.as_str()).collect();
        let at = names.iter().position(|known| *known == name);
        (names, at.map(|at| Side::In(at as u32)))
    } else {
        let mut names: Vec<_> = planned.ports.iter().map(|port| port.name.as_str()).collect();
        let at = names.iter().position(|known| *known == name).map(|at| PortId::Out(at as u32));
        names.push(rejections::PORT);
        (names, at.or_else(|| (name == rejections::PORT).then_some(PortId::Rejected)).map(Side::Out))
    };
    let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
    found.ok_or_else(|| Problem::wrong_request(format!("`port` is `{name}`: this side has {}", known.join(", "))))
}

/// The name of a side's input or port.
fn port_name(planned: &PlannedStage, side: Side) -> &str {
    match side {
        Side::In(input) => planned.opening.inputs.get(input as usize).map_or("?", |input| input.name.as_str()),
        Side::Out(PortId::Out(port)) => planned.ports.get(port as usize).map_or("?", |port| port.name.as_str()),
        Side::Out(PortId::Rejected) => rejections::PORT,
    }
}

/// A tap, and whoever looks.
struct Show {
    changes: Arc<Changes>,
    stage: Arc<Stage>,
    view: View,
    tap: Tap,
    to: Sender<Bytes>,
    /// Of which port columns were told last, and which.
    last: Option<(Side, arrow::datatypes::SchemaRef)>,
}

/// Nobody reads any more.
struct Gone;

impl Show {
    fn go_on(mut self) {
        let (mut number, mut said, mut next) = (0, Instant::now(), Instant::now());
        loop {
            let told = match self.tap.next(GLANCE).filter(|seen| self.view.wants(seen)) {
                Some(seen) => {
                    number += 1;
                    if (number - 1) % self.view.every != 0 || Instant::now() < next {
                        continue;
                    }
                    next = Instant::now() + self.view.pause;
                    self.show(&seen)
                }
                None if self.changes.over() => {
                    let _ = self.say(json!({ "end": "the run has ended" }));
                    return;
                }
                None if self.stage.is_removed() && self.stage.seats().is_empty() => {
                    let _ = self.say(json!({ "end": "the stage was removed" }));
                    return;
                }
                None if said.elapsed() < SILENCE && !self.to.is_closed() => continue,
                None => self.say(json!({ "missed": self.tap.missed() })),
            };
            if told.is_err() {
                return;
            }
            said = Instant::now();
        }
    }

    fn show(&mut self, seen: &Seen) -> Result<(), Gone> {
        let planned = self.stage.planned();
        let port = port_name(&planned, seen.side);
        let schema = seen.batch.schema();
        if self.last.as_ref().is_none_or(|last| (last.0, &last.1) != (seen.side, &schema)) {
            let columns = schema
                .fields()
                .iter()
                .map(|field| json!({ "name": field.name(), "type": field.data_type().to_string(), "nullable": field.is_nullable() }));
            self.say(json!({ "schema": { "port": port, "columns": columns.collect::<Vec<_>>() } }))?;
            self.last = Some((seen.side, schema));
        }
        let rows = seen.batch.num_rows();
        let (shown, lines) = match rows_of(&seen.batch.slice(0, rows.min(self.view.rows))) {
            Ok(rows) => rows,
            Err(error) => return self.say(json!({ "end": format!("these columns cannot be written as JSON: {error}") })).and(Err(Gone)),
        };
        let batch = json!({ "batch": {
            "number": seen.sequence, "port": port, "trace": seen.trace.to_string(),
            "rows": rows, "shown": shown, "missed": self.tap.missed(),
        } });
        self.send(format!("{batch}\n{lines}"))
    }

    fn say(&self, line: Value) -> Result<(), Gone> {
        self.send(format!("{line}\n"))
    }

    /// Waits until there is room: the tap itself does not, it misses batches.
    fn send(&self, text: String) -> Result<(), Gone> {
        self.to.blocking_send(text.into()).map_err(|_| Gone)
    }
}

/// Rows as lines, and how many there was room for.
fn rows_of(batch: &RecordBatch) -> Result<(usize, String), arrow::error::ArrowError> {
    let (mut shown, mut lines) = (0, String::new());
    for row in 0..batch.num_rows() {
        let mut writer: LineDelimitedWriter<Vec<u8>> = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(Vec::new());
        writer.write(&batch.slice(row, 1))?;
        writer.finish()?;
        let line = writer.into_inner();
        if lines.len() + line.len() > MOST_BYTES {
            break;
        }
        lines.push_str("{\"row\":");
        lines.push_str(String::from_utf8_lossy(&line).trim_end());
        lines.push_str("}\n");
        shown += 1;
    }
    Ok((shown, lines))
}

/// Lines on their way to whoever reads.
struct Lines(Receiver<Bytes>);

impl http_body::Body for Lines {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::*;

    /// Protects readers of the lines against columns that are missing where they are null, and the host against rows without bound.
    #[test]
    fn nulls_are_written_and_large_rows_left_out() {
        let large = "x".repeat(MOST_BYTES);
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]));
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", &large]));
        let batch = RecordBatch::try_from_iter([("n", numbers), ("t", texts)]).unwrap();
        let (shown, lines) = rows_of(&batch).unwrap();
        assert_eq!((shown, lines.as_str()), (2, "{\"row\":{\"n\":1,\"t\":\"a\"}}\n{\"row\":{\"n\":null,\"t\":\"b\"}}\n"));
    }
}
