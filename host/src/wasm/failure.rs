//! What wasmtime reports, as the call errors of floor 0, each with its blame.

use wasmtime::{Store, Trap, component::ResourceTableError};

use super::{host::Host, last_words};
use crate::words::{call::CallError, limits::Limits};

/// Turns the error of a failed call into its reason, with what the guest said before it trapped.
pub fn of(error: &wasmtime::Error, store: &mut Store<Host>) -> CallError {
    match reason(error, store.data_mut()) {
        CallError::Trap { reason, message } => {
            let most = store.data().limits.message as usize;
            let words = last_words::of(error, &*store, most);
            CallError::Trap { reason, message: words.map_or(message.clone(), |words| format!("{words} ({message})")) }
        }
        other => other,
    }
}

/// A refused growth explains the trap that followed it.
fn reason(error: &wasmtime::Error, host: &mut Host) -> CallError {
    if let Some(refusal) = host.limiter.take_refusal() {
        let (current, requested, allowed) = (refusal.current, refusal.requested, refusal.allowed);
        return CallError::Limit { limit: refusal.limit, current, requested, allowed, unit: refusal.unit };
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return of_trap(*trap, error, host);
    }
    if let Some(wasmtime_wasi::I32Exit(status)) = error.downcast_ref() {
        return CallError::Trap { reason: "exit", message: format!("it ended itself with the exit status {status}; a stage must return") };
    }
    match error.downcast_ref::<ResourceTableError>() {
        Some(ResourceTableError::Full) => {
            let allowed = host.limits.handles;
            return CallError::Limit { limit: "handles", current: allowed, requested: 1, allowed, unit: "handles" };
        }
        Some(other) => return CallError::Malformed(format!("a handle was used that is not valid: {other}")),
        None => {}
    }
    let message = said(error);
    // wasmtime has no public types for these.
    if let Some(refused) = count_too_high(&message, &host.limits) {
        return refused;
    }
    if message.contains("allocated for hostcalls has been exhausted") {
        let allowed = host.limits.output_bytes;
        return CallError::Limit { limit: "output_bytes", current: 0, requested: 0, allowed, unit: "bytes" };
    }
    CallError::Trap { reason: "abi", message }
}

/// There was no room for an instance (its memory, the image of what that begins with): nothing that a component could help.
pub fn no_room(error: &wasmtime::Error) -> Option<CallError> {
    let outside = error.chain().any(|cause| cause.is::<std::io::Error>());
    outside.then(|| CallError::Host(format!("there is no room for an instance: {error:#}")))
}

/// More instances, memories or tables than there may be: `resource limit exceeded: memory count too high at 17`.
fn count_too_high(message: &str, limits: &Limits) -> Option<CallError> {
    let (what, count) = message.split_once("resource limit exceeded: ")?.1.split_once(" count too high at ")?;
    let (limit, allowed, unit) = match what {
        "instance" => ("core_instances", limits.core_instances, "instances"),
        "memory" => ("wasm_memories", limits.wasm_memories, "memories"),
        "table" => ("wasm_tables", limits.wasm_tables, "tables"),
        _ => return None,
    };
    let count = count.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok());
    Some(CallError::over(limit, count.unwrap_or(allowed + 1), allowed, unit))
}

fn of_trap(trap: Trap, error: &wasmtime::Error, host: &Host) -> CallError {
    let used_up = |limit, allowed, unit| CallError::Limit { limit, current: 0, requested: 0, allowed, unit };
    let reason = match trap {
        Trap::OutOfFuel => return used_up("fuel", host.limits.fuel, "units of fuel"),
        Trap::Interrupt => return used_up("timeout", host.limits.timeout.as_millis() as u64, "milliseconds"),
        Trap::StackOverflow => "stack_overflow",
        Trap::MemoryOutOfBounds | Trap::HeapMisaligned => "memory_out_of_bounds",
        Trap::TableOutOfBounds | Trap::IndirectCallToNull | Trap::BadSignature => "bad_indirect_call",
        Trap::IntegerOverflow | Trap::IntegerDivisionByZero | Trap::BadConversionToInteger => "arithmetic",
        Trap::UnreachableCodeReached => "unreachable",
        Trap::CannotEnterComponent => "reentered",
        _ => "trap",
    };
    CallError::Trap { reason, message: said(error) }
}

/// What happened, in one line. The addresses of a backtrace say nothing about a stripped component, nor do the parts of a dump.
fn said(error: &wasmtime::Error) -> String {
    let causes = error.chain().map(|cause| cause.to_string());
    let noise = |cause: &String| BACKTRACES.iter().any(|begin| cause.starts_with(begin));
    causes.filter(|cause| !noise(cause)).collect::<Vec<_>>().join(": ")
}

/// What such a cause begins with.
const BACKTRACES: [&str; 2] = ["error while executing at wasm backtrace", "wasm coredump generated"];
