//! Arrow IPC, read: files and streams, told apart by their first bytes.

use std::sync::Arc;

use arrow::{
    buffer::Buffer,
    datatypes::SchemaRef,
    ipc::{
        self, Block, MetadataVersion,
        convert::fb_to_schema,
        reader::{FileDecoder, StreamDecoder, read_footer_length},
    },
};

use super::{
    failure::{arrow_error, contained, format_error},
    options::ReadOptions,
    origin,
    projection::Projection,
    reader::FileReader,
    skip::Rest,
    store::{Address, Object},
};
use crate::words::{batch::RecordBatch, tables::TableError, trace::SpanContext};

const MAGIC: [u8; 6] = *b"ARROW1";
/// Footer length and magic.
const TRAILER: u64 = 10;
const CONTINUATION: [u8; 4] = [0xff; 4];
const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// An Arrow IPC file or stream being read. Messages are framed here, not by Arrow's readers, so that every length is
/// checked against the file before memory is asked for, and so that only one message is in memory at a time.
pub struct IpcFile {
    object: Object,
    messages: Messages,
    file_schema: SchemaRef,
    origin: Option<SpanContext>,
    projection: Projection,
    batch_rows: usize,
    /// Batches may be stored larger than they are wanted.
    rest: Rest,
}

enum Messages {
    File { decoder: Box<FileDecoder>, blocks: Vec<Block>, next: usize },
    Stream(Stream),
}

impl IpcFile {
    pub fn open(address: &Address, options: &ReadOptions) -> Result<Self, TableError> {
        let object = Object::open(address)?;
        let is_file = object.size >= MAGIC.len() as u64 && object.read(0..MAGIC.len() as u64)?[..] == MAGIC;
        let (messages, file_schema, footer) = if is_file { open_file(&object)? } else { open_stream(&object)? };
        // The footer is the word of who wrote the file; a schema may have come from elsewhere.
        let schema = file_schema.metadata().iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let origin = footer.or_else(|| origin::of(schema));
        let file_schema = origin::without(&file_schema);
        let projection = Projection::new(&address.name, &file_schema, options.columns.as_deref())?;
        let messages = messages.choose(&projection);
        Ok(IpcFile { object, messages, file_schema, origin, projection, batch_rows: options.batch_rows, rest: Rest::default() })
    }

    /// Whether its writer has ended it: a file has a footer, or it would not have opened; a stream has its end marker.
    pub fn is_whole(&self) -> Result<bool, TableError> {
        let Messages::Stream(stream) = &self.messages else { return Ok(true) };
        let mut at = stream.at;
        loop {
            match message_end(&self.object, at)? {
                None => return Ok(false),
                Some(end) if end == at => return Ok(true),
                Some(end) => at = end,
            }
        }
    }

    fn decode(&mut self) -> Result<Option<RecordBatch>, TableError> {
        let name = self.object.name();
        let failed = |error| arrow_error(name, "reading", &error);
        let batch = match &mut self.messages {
            Messages::File { decoder, blocks, next } => {
                let Some(block) = blocks.get(*next) else { return Ok(None) };
                *next += 1;
                let bytes = read_block(&self.object, block)?;
                decoder.read_record_batch(block, &bytes).map_err(failed)?
            }
            Messages::Stream(stream) => stream.next(&self.object)?,
        };
        let Some(batch) = batch else { return Ok(None) };
        // A file's decoder leaves out what is not wanted; a stream's decodes everything.
        let batch = match (&self.messages, self.projection.is_all) {
            (Messages::Stream(_), false) => batch.project(&self.projection.wanted).map_err(failed)?,
            _ => batch,
        };
        self.projection.apply(name, batch).map(Some)
    }
}

// === impl FileReader for IpcFile ===

impl FileReader for IpcFile {
    fn file_schema(&self) -> SchemaRef {
        self.file_schema.clone()
    }

    fn origin(&self) -> Option<SpanContext> {
        self.origin
    }

    fn schema(&self) -> SchemaRef {
        self.projection.schema.clone()
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, TableError> {
        let name = self.object.name().to_string();
        contained(&name, "reading", || {
            loop {
                if let Some(batch) = self.rest.take_rows(self.batch_rows) {
                    return Ok(Some(batch));
                }
                let Some(batch) = self.decode()? else { return Ok(None) };
                self.rest.put(batch);
            }
        })
    }

    fn skip(&mut self, rows: u64) -> Result<u64, TableError> {
        let name = self.object.name().to_string();
        contained(&name, "reading", || {
            let mut rest = Rest::default();
            let skipped = rest.skip(rows, || self.decode());
            self.rest = rest;
            skipped
        })
    }
}

impl Messages {
    fn choose(self, projection: &Projection) -> Self {
        match self {
            Messages::File { decoder, blocks, next } if !projection.is_all => {
                let decoder = Box::new(decoder.with_projection(projection.wanted.clone()));
                Messages::File { decoder, blocks, next }
            }
            other => other,
        }
    }
}

/// The messages, the schema, and who wrote it by the footer's word.
type Opened = (Messages, SchemaRef, Option<SpanContext>);

fn open_file(object: &Object) -> Result<Opened, TableError> {
    let broken = |what: &str| format_error(object.name(), "opening", what);
    if object.size < TRAILER + MAGIC.len() as u64 {
        return Err(broken("the Arrow IPC file is cut short"));
    }
    let trailer_at = object.size - TRAILER;
    let trailer = object.read(trailer_at..object.size)?;
    let trailer: [u8; TRAILER as usize] = trailer[..].try_into().map_err(|_| broken("the trailer is cut short"))?;
    let length = read_footer_length(trailer).map_err(|error| arrow_error(object.name(), "opening", &error))? as u64;
    let start = trailer_at.checked_sub(length).ok_or_else(|| broken("the footer is larger than the file"))?;
    let footer = object.read(start..trailer_at)?;
    let footer = ipc::root_as_footer(&footer).map_err(|error| broken(&format!("the footer is corrupt: {error}")))?;
    let schema = footer.schema().ok_or_else(|| broken("the footer has no schema"))?;
    if !schema.endianness().equals_to_target_endianness() {
        return Err(broken("its byte order is not this machine's"));
    }
    let schema: SchemaRef = Arc::new(fb_to_schema(schema));
    let version: MetadataVersion = footer.version();
    let mut decoder = FileDecoder::new(schema.clone(), version);
    for block in footer.dictionaries().iter().flatten() {
        let bytes = read_block(object, block)?;
        decoder.read_dictionary(block, &bytes).map_err(|error| arrow_error(object.name(), "opening", &error))?;
    }
    let blocks = footer.recordBatches().map(|blocks| blocks.iter().copied().collect()).unwrap_or_default();
    let pairs = footer.custom_metadata().into_iter().flatten();
    let origin = origin::of(pairs.map(|pair| (pair.key().unwrap_or_default(), pair.value().unwrap_or_default())));
    Ok((Messages::File { decoder: Box::new(decoder), blocks, next: 0 }, schema, origin))
}

fn read_block(object: &Object, block: &Block) -> Result<Buffer, TableError> {
    let part = |value: i64| u64::try_from(value).ok();
    let end = || part(block.offset())?.checked_add(part(block.metaDataLength().into())?)?.checked_add(part(block.bodyLength())?);
    let end = end().ok_or_else(|| format_error(object.name(), "reading", "a block's place is corrupt"))?;
    Ok(Buffer::from(object.read(block.offset() as u64..end)?))
}

/// A stream's messages on their way to the decoder.
struct Stream {
    decoder: StreamDecoder,
    /// Where the next message begins.
    at: u64,
    /// What the decoder has not taken yet: it stops after each batch, and may be one message behind.
    pending: Buffer,
    is_ended: bool,
}

impl Stream {
    fn next(&mut self, object: &Object) -> Result<Option<RecordBatch>, TableError> {
        loop {
            let decoded = self.decoder.decode(&mut self.pending);
            if let Some(batch) = decoded.map_err(|error| arrow_error(object.name(), "reading", &error))? {
                return Ok(Some(batch));
            }
            self.pending = match read_message(object, &mut self.at)? {
                Some(message) => Buffer::from(message),
                None if self.is_ended => return Ok(None),
                // Also where the stream has none: the decoder finishes a message without a body only with the next.
                None => {
                    self.is_ended = true;
                    Buffer::from(END)
                }
            };
        }
    }
}

fn open_stream(object: &Object) -> Result<Opened, TableError> {
    let broken = |what: &str| format_error(object.name(), "opening", what);
    let mut at = 0;
    let first = read_message(object, &mut at)?.ok_or_else(|| broken("it is empty, not even a schema is there"))?;
    let metadata = if first.starts_with(&CONTINUATION) { &first[8..] } else { &first[4..] };
    let message = ipc::root_as_message(metadata).map_err(|_| broken("this is no Arrow IPC"))?;
    let schema = message.header_as_schema().ok_or_else(|| broken("the stream does not begin with a schema"))?;
    if !schema.endianness().equals_to_target_endianness() {
        return Err(broken("its byte order is not this machine's"));
    }
    let schema = Arc::new(fb_to_schema(schema));
    let stream = Stream { decoder: StreamDecoder::new(), at, pending: Buffer::from(first), is_ended: false };
    Ok((Messages::Stream(stream), schema, None))
}

/// One whole message of a stream: prefix, metadata, body. Nothing at the end. A stream that stops without its end
/// marker is an error only if it stops inside of a message, as the format's specification has it.
fn read_message(object: &Object, at: &mut u64) -> Result<Option<bytes::Bytes>, TableError> {
    match message_end(object, *at)? {
        None => Ok(None),
        Some(end) if end == *at => {
            *at = object.size;
            Ok(None)
        }
        Some(end) => {
            let bytes = object.read(*at..end)?;
            *at = end;
            Ok(Some(bytes))
        }
    }
}

/// Where the message at a byte ends: right there if it is the end marker. Nothing at the end of the object.
fn message_end(object: &Object, at: u64) -> Result<Option<u64>, TableError> {
    let broken = |what: &str| format_error(object.name(), "reading", format_args!("{what} at byte {at}"));
    if at == object.size {
        return Ok(None);
    }
    let word =
        |at: u64| -> Result<[u8; 4], TableError> { object.read(at..at + 4)?[..].try_into().map_err(|_| broken("a message is cut short")) };
    let mut metadata_at = at + 4;
    let mut length = word(at)?;
    if length == CONTINUATION {
        length = word(metadata_at)?;
        metadata_at += 4;
    }
    let length = u64::from(u32::from_le_bytes(length));
    if length == 0 {
        return Ok(Some(at));
    }
    let metadata = object.read(metadata_at..metadata_at + length)?;
    let message = ipc::root_as_message(&metadata).map_err(|_| broken("this is no Arrow IPC: there is no message"))?;
    let body = u64::try_from(message.bodyLength()).map_err(|_| broken("a message's length is corrupt"))?;
    let end = (metadata_at + length).checked_add(body).ok_or_else(|| broken("a message's length is corrupt"))?;
    Ok(Some(end))
}
