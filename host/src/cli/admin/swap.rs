//! Changes by HTTP: `POST /v1/stages/{stage}/swap` and `POST /v1/reload` wait until there is a last word, `GET /v1/swaps` lists them.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{ConnectInfo, Path},
};
use serde_json::{Value, json};

use super::{Admin, Problem, shapes::SwapRequest};
use crate::{
    cli::{live::Changes, serve::connections::Answering},
    pipeline::{
        plan::ComponentRef,
        swap::{Refusal, Request, Trigger},
    },
};

/// Swaps a stage.
pub async fn swap(
    Extension(admin): Extension<Arc<Admin>>,
    ConnectInfo(answering): ConnectInfo<Answering>,
    Path(stage): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let wanted: SwapRequest =
        serde_json::from_slice(&body).map_err(|error| Problem::wrong_request(format!("the body is not what it should be: {error}")))?;
    if admin.changes.graph().stages.named(&stage).is_none() {
        return Err(Problem::no_stage(&stage, &admin.changes));
    }
    let component = reference(&wanted.component)?;
    let settings = wanted.trying.over(admin.changes.spec().swap).map_err(Problem::wrong_request)?;
    let request = Request { stage, component, settings, trigger: Trigger::Http };
    let record = carry_out(&admin, &answering, move |changes| changes.swap(&request)).await?;
    Ok(Json(json!({ "record": record })))
}

/// Reads the pipeline file and its components again.
pub async fn reload(
    Extension(admin): Extension<Arc<Admin>>,
    ConnectInfo(answering): ConnectInfo<Answering>,
) -> Result<Json<Value>, Problem> {
    let records = carry_out(&admin, &answering, |changes| changes.reload(Trigger::Http)).await?;
    Ok(Json(json!({ "records": records })))
}

/// What has been changed, or was refused, the oldest first.
pub async fn swaps(Extension(admin): Extension<Arc<Admin>>) -> Json<Value> {
    Json(json!({ "records": admin.changes.records() }))
}

/// Whoever asks may go away meanwhile: what was begun is carried out, and is in the list.
async fn carry_out<T: Send + 'static>(
    admin: &Admin,
    answering: &Answering,
    change: impl FnOnce(&Changes) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Problem> {
    let _held = answering.hold();
    let changes = Arc::clone(&admin.changes);
    let carried = tokio::task::spawn_blocking(move || change(&changes)).await;
    carried.map_err(|_| Problem::broken("the host panicked while it changed the run; this is a bug in Parshall"))?.map_err(Problem::from)
}

fn reference(text: &str) -> Result<ComponentRef, Problem> {
    match text.parse() {
        Ok(ComponentRef::Path(path)) if path.is_relative() => {
            Err(Problem::wrong_request(format!("`component` is `{text}`: expected `std:NAME`, `oci://…` or an absolute path")))
        }
        Ok(reference) => Ok(reference),
        Err(wrong) => Err(Problem::wrong_request(format!("`component` is `{text}`: {wrong}"))),
    }
}
