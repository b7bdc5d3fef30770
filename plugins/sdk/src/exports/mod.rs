//! What the host calls. The macros put these functions' names where the host looks for them; the functions are here.

pub mod extract;
pub mod load;
pub mod transform;

use std::cell::UnsafeCell;

use arrow_data::ArrayData;
use arrow_schema::SchemaRef;
use serde::de::DeserializeOwned;

use crate::{
    abi::{self, List, Maybe, Outcome, Text},
    config,
    describe::Description,
    error::StageError,
    last_words,
    ports::{Input, Port},
    reply::Reply,
    schema::SentSchema,
};

/// The one instance of a stage that a component's instance is, and the room that its calls reuse.
pub struct Desk<T>(UnsafeCell<Things<T>>);

/// What lies on the desk.
pub(crate) struct Things<T> {
    stage: Option<T>,
    schemas: Vec<SchemaRef>,
    cache: Vec<Option<ArrayData>>,
    reply: Reply,
    /// What the last call's result points at.
    error: Option<StageError>,
    bytes: Vec<u8>,
    text: String,
    ports: Vec<(String, SentSchema)>,
    sent_ports: Vec<abi::Port>,
    /// The last call's result, one for each shape that there is.
    description: Option<abi::Description>,
    opened: Option<Outcome<List<abi::Port>, abi::StageError>>,
    done: Option<Outcome<(), abi::StageError>>,
    answered: Option<Outcome<abi::Answer, abi::StageError>>,
    finished: Option<Outcome<Maybe<abi::Answer>, abi::StageError>>,
    extracted: Option<Outcome<Maybe<abi::Extracted>, abi::StageError>>,
    refused: Option<Outcome<List<abi::Rejection>, abi::StageError>>,
    receipt: Option<Outcome<abi::Receipt, abi::StageError>>,
    remembered: Option<Outcome<List<u8>, abi::StageError>>,
}

// A guest has one thread, and the host enters one call at a time.
unsafe impl<T> Sync for Desk<T> {}

// === impl Desk ===

impl<T> Desk<T> {
    /// Before `open`.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self(UnsafeCell::new(Things {
            stage: None,
            schemas: Vec::new(),
            cache: Vec::new(),
            reply: Reply::new(),
            error: None,
            bytes: Vec::new(),
            text: String::new(),
            ports: Vec::new(),
            sent_ports: Vec::new(),
            description: None,
            opened: None,
            done: None,
            answered: None,
            finished: None,
            extracted: None,
            refused: None,
            receipt: None,
            remembered: None,
        }))
    }

    /// # Safety
    /// Only from the outermost frame of an export, which cannot be entered twice at once.
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn things(&self) -> &mut Things<T> {
        unsafe { &mut *self.0.get() }
    }
}

// === impl Things ===

impl<T> Things<T> {
    fn describe(&mut self, description: &Description) -> *const abi::Description {
        last_words::listen();
        self.description.insert(description.abi())
    }

    fn fail(&mut self, error: StageError) -> abi::StageError {
        self.error.insert(error).abi()
    }

    fn opened(&mut self, ports: Result<Vec<Port>, StageError>) -> *const Outcome<List<abi::Port>, abi::StageError> {
        let result = match ports {
            Ok(ports) => {
                self.ports = ports.into_iter().map(|port| (port.name, SentSchema::new(&port.schema))).collect();
                let sent = self.ports.iter().map(|(name, schema)| abi::Port { name: Text::of(name), schema: schema.abi() });
                self.sent_ports = sent.collect();
                Outcome::Ok(List::pointing_at(&self.sent_ports))
            }
            Err(error) => Outcome::Err(self.fail(error)),
        };
        self.opened.insert(result)
    }

    fn remembered(&mut self, bytes: Result<Vec<u8>, StageError>) -> *const Outcome<List<u8>, abi::StageError> {
        let result = match bytes {
            Ok(bytes) => {
                self.bytes = bytes;
                Outcome::Ok(List::pointing_at(&self.bytes))
            }
            Err(error) => Outcome::Err(self.fail(error)),
        };
        self.remembered.insert(result)
    }
}

/// A stage that is called before it was opened: the host does not do that.
#[cold]
fn not_open() -> StageError {
    StageError::Internal("the stage is not open".into())
}

/// Owned arguments of `open`.
///
/// # Safety
/// The words must be the host's, each taken once.
unsafe fn arguments<C: DeserializeOwned>(config: Text, restore: Maybe<List<u8>>) -> (Result<C, StageError>, Option<Vec<u8>>) {
    last_words::listen();
    let text = unsafe { config.into_string() };
    let restore = match restore {
        Maybe::None => None,
        Maybe::Some(bytes) => Some(unsafe { bytes.into_vec() }),
    };
    (config::read(&text), restore)
}

/// # Safety
/// As [`arguments`].
unsafe fn inputs<T>(things: &mut Things<T>, inputs: List<abi::Port>) -> Result<Vec<Input>, StageError> {
    let inputs = unsafe { Input::receive(inputs)? };
    things.schemas = inputs.iter().map(|input| input.schema.clone()).collect();
    Ok(inputs)
}
