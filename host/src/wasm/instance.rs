//! A running component. Every call goes through here: it is given its fuel and deadline, metered, and a failure that
//! leaves the guest in an unknown state poisons the instance.

use std::{sync::Arc, time::Instant};

use wasmtime::{
    Store,
    component::{ComponentNamedList, InstancePre, Lift, Lower, TypedFunc},
};

use super::{clock::Share, engine::Engine, failure, host::Host, imports, ticks};
use crate::words::{
    batch::RecordBatch,
    call::{Call, CallError},
    usage::Usage,
};

/// A running component.
pub struct Instance {
    store: Store<Host>,
    inner: wasmtime::component::Instance,
    /// Fuel per call; `None` when the engine does not count it.
    fuel: Option<u64>,
    /// Ticks per call; `None` when the engine has no deadlines.
    ticks: Option<u64>,
    interface: String,
    poisoned: bool,
}

/// A call under way: what it has cost so far.
pub struct Cost {
    /// What is known already. `guest` and `copy` are filled in by `finish`.
    pub usage: Usage,
    started: Instant,
    guest: Share,
}

impl Cost {
    /// Ends the call: whatever was neither guest nor import was copying, validating and carrying out.
    pub fn finish(mut self) -> Usage {
        let call = self.started.elapsed();
        let rest = call.saturating_sub(self.usage.host);
        self.usage.guest = self.guest.of(call).min(rest);
        self.usage.copy = rest - self.usage.guest;
        self.usage
    }

    /// Ends it with an outcome.
    pub fn close<T>(self, outcome: Result<T, CallError>) -> Call<T> {
        Call { outcome, usage: self.finish() }
    }
}

impl Instance {
    /// Instantiates a component that was linked. `interface` is the one of the three that its calls go to.
    pub fn new(engine: &Engine, linked: &InstancePre<Host>, host: Host, interface: &str) -> Result<Self, CallError> {
        let fuel = engine.accounting.fuel.then_some(host.limits.fuel);
        let ticks = engine.accounting.deadline.then(|| Engine::ticks(host.limits.timeout));
        let mut store = Store::new(&engine.inner, host);
        if engine.accounting.limiter {
            store.limiter(|host| &mut host.limiter);
        }
        store.set_hostcall_fuel(hostcall_fuel(&store.data().limits));
        if engine.accounting.clock {
            store.call_hook(|mut context, hook| {
                context.data_mut().clock.turn(hook);
                Ok(())
            });
        }
        // A start function is guest code too.
        allow(&mut store, fuel, ticks).map_err(|error| CallError::Host(format!("{error:#}")))?;
        let inner = linked.instantiate(&mut store).map_err(|error| {
            // What it printed says why.
            store.data_mut().end();
            failure::no_room(&error).unwrap_or_else(|| failure::of(&error, &mut store))
        })?;
        Ok(Instance { store, inner, fuel, ticks, interface: imports::interface(interface), poisoned: false })
    }

    /// One of the interface's functions.
    pub fn function<P, R>(&mut self, name: &str) -> Result<TypedFunc<P, R>, CallError>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift,
    {
        let absent = || CallError::Malformed(format!("the component does not export `{name}` of {}", self.interface));
        let interface = self.inner.get_export_index(&mut self.store, None, self.interface.as_str()).ok_or_else(absent)?;
        let index = self.inner.get_export_index(&mut self.store, Some(&interface), name).ok_or_else(absent)?;
        let typed = self.inner.get_typed_func(&mut self.store, index);
        typed.map_err(|error| CallError::Malformed(format!("its export `{name}` is not of the contract's type: {error:#}")))
    }

    /// Never calls it again.
    pub fn poison(&mut self) {
        self.poisoned = true;
    }

    /// What stands beside it.
    pub fn host(&mut self) -> &mut Host {
        self.store.data_mut()
    }

    /// Calls a function, with a frame lent for the length of the call. The outcome is what the guest said; everything
    /// that it says must still be checked, and the cost closed, by the caller.
    pub fn call<P, R>(
        &mut self,
        function: &TypedFunc<P, (R,)>,
        parameters: P,
        lent: Option<Arc<RecordBatch>>,
    ) -> (Result<R, CallError>, Cost)
    where
        P: ComponentNamedList + Lower,
        (R,): ComponentNamedList + Lift,
    {
        let rows = lent.as_ref().map_or(0, |batch| batch.num_rows() as u64);
        let (started, since) = (Instant::now(), ticks::now());
        let usage = Usage { started: Some(started), rows_in: rows, ..Usage::default() };
        let mut cost = Cost { usage, started, guest: Share::none() };
        if self.poisoned {
            return (Err(CallError::Poisoned), cost);
        }
        let memory = self.store.data().limiter.memory();
        self.store.data_mut().begin(lent);
        if let Err(error) = allow(&mut self.store, self.fuel, self.ticks) {
            return (Err(CallError::Host(format!("{error:#}"))), cost);
        }
        let returned = function.call(&mut self.store, parameters);
        cost.guest = self.store.data_mut().clock.share(since);
        let fuel = self.fuel.map_or(0, |allowed| allowed - self.store.get_fuel().unwrap_or(allowed));
        let outcome = returned.map(|(value,)| value).map_err(|error| failure::of(&error, &mut self.store));
        self.poisoned = outcome.is_err();
        self.usage(&mut cost.usage, fuel, memory, outcome.is_ok());
        (outcome, cost)
    }

    fn usage(&mut self, usage: &mut Usage, fuel: u64, memory_before: u64, returned: bool) {
        let host = self.store.data_mut();
        let mut meter = host.end();
        meter.columns_read.sort_unstable();
        meter.columns_read.dedup();
        usage.fuel = fuel;
        usage.fuel_exact = returned && self.fuel.is_some();
        usage.memory = host.limiter.memory();
        usage.memory_growth = usage.memory - memory_before;
        usage.host = meter.work;
        usage.bytes_read = meter.bytes_read;
        usage.columns_read = meter.columns_read;
        usage.dropped = meter.dropped;
        usage.said = meter.said;
        let spans = meter.spans.end();
        if !spans.is_empty() {
            usage.said.spans = spans;
        }
    }
}

/// Gives a call its fuel and its deadline.
fn allow(store: &mut Store<Host>, fuel: Option<u64>, ticks: Option<u64>) -> wasmtime::Result<()> {
    if let Some(ticks) = ticks {
        store.set_epoch_deadline(ticks);
    }
    fuel.map_or(Ok(()), |fuel| store.set_fuel(fuel))
}

/// wasmtime bounds what lifting may allocate. The contract's own limits are finer; this one keeps the lists around the
/// buffers within reason.
fn hostcall_fuel(limits: &crate::words::limits::Limits) -> usize {
    const LISTS: u64 = 64 << 20;
    usize::try_from(limits.output_bytes.max(limits.state).saturating_add(LISTS)).unwrap_or(usize::MAX)
}
