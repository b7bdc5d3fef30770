//! Protobuf's wire format, written into one buffer that is used again and again: nothing is allocated, nothing is visited twice, and
//! what never changes is copied as the bytes that it became once. <https://protobuf.dev/programming-guides/encoding/>

/// A buffer and how far it has been written.
#[derive(Default)]
pub struct Writer {
    /// All of it is initialised, so that writing is copying.
    bytes: Vec<u8>,
    at: usize,
}

/// The beginning of an attribute (`KeyValue`), ready to be copied: its key and the tag of its value. The message's own tag and
/// length come before it, the length and the content of the value (`AnyValue`) after it.
pub struct Key {
    head: [u8; Key::ROOM],
    length: usize,
}

/// A message whose length will be known when it has been written.
#[must_use = "a message that is opened is closed"]
pub struct Open(usize);

/// Where an attribute stands: the tag of the field that has it.
#[derive(Clone, Copy)]
pub enum Of {
    /// `Span.attributes`
    Span = 0x4a,
    /// `Event.attributes`
    Event = 0x1a,
}

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const BYTES: u32 = 2;
const FIXED32: u32 = 5;

/// Bytes of the longest varint.
const LONGEST: usize = 10;

/// How many bytes a varint takes.
pub const fn varint_length(value: u64) -> usize {
    // Seven bits a byte, and one byte at least.
    ((63 - (value | 1).leading_zeros()) / 7 + 1) as usize
}

// === impl Key ===

impl Key {
    const ROOM: usize = 32;

    /// Of a name that is known when this is compiled; one that is too long does not compile.
    pub const fn new(name: &str) -> Self {
        let (name, mut head) = (name.as_bytes(), [0; Key::ROOM]);
        head[0] = 0x0a;
        head[1] = name.len() as u8;
        let mut at = 0;
        while at < name.len() {
            head[2 + at] = name[at];
            at += 1;
        }
        head[2 + at] = 0x12;
        Key { head, length: at + 3 }
    }
}

// === impl Writer ===

impl Writer {
    /// One that begins with so many bytes of room, for what will be known at the end.
    pub fn after(room: usize) -> Self {
        Writer { bytes: vec![0; room], at: room }
    }

    /// Begins anew, with so many bytes of room; keeps what it has of memory.
    pub fn restart(&mut self, room: usize) {
        self.at = 0;
        self.room(room);
        self.at = room;
    }

    /// How far it is.
    pub fn at(&self) -> usize {
        self.at
    }

    /// What was written, room included.
    pub fn written(&self) -> &[u8] {
        &self.bytes[..self.at]
    }

    /// Writes just before `at`, which there must be room for; answers where it begins.
    pub fn put_before(&mut self, at: usize, bytes: &[u8]) -> usize {
        let begin = at - bytes.len();
        self.bytes[begin..at].copy_from_slice(bytes);
        begin
    }

    /// Writes a tag of one byte and the length of what follows, just before `at`; answers where they begin.
    pub fn length_before(&mut self, at: usize, field: u32, length: usize) -> usize {
        let mut head = Writer::default();
        head.tag(field, BYTES);
        head.varint(length as u64);
        self.put_before(at, head.written())
    }

    #[inline]
    fn room(&mut self, more: usize) {
        if self.bytes.len() - self.at < more {
            self.grow(more);
        }
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let length = (self.bytes.len() * 2).max(self.at + more).max(4096);
        self.bytes.resize(length, 0);
    }

    /// Copies.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        self.room(bytes.len());
        self.bytes[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    /// A number alone, without a tag.
    #[inline]
    pub fn varint(&mut self, value: u64) {
        self.room(LONGEST);
        self.at += write_varint(&mut self.bytes[self.at..self.at + LONGEST], value);
    }

    #[inline]
    fn tag(&mut self, field: u32, kind: u32) {
        self.varint(u64::from(field << 3 | kind));
    }

    /// A number; nothing for 0, which is what a reader takes from nothing.
    #[inline]
    pub fn number(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.tag(field, VARINT);
            self.varint(value);
        }
    }

    /// Eight bytes; nothing for 0.
    #[inline]
    pub fn fixed64(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.tag(field, FIXED64);
            self.put(&value.to_le_bytes());
        }
    }

    /// Four bytes; nothing for 0.
    #[inline]
    pub fn fixed32(&mut self, field: u32, value: u32) {
        if value != 0 {
            self.tag(field, FIXED32);
            self.put(&value.to_le_bytes());
        }
    }

    /// Bytes, also where there are none.
    #[inline]
    pub fn bytes(&mut self, field: u32, bytes: &[u8]) {
        self.tag(field, BYTES);
        self.varint(bytes.len() as u64);
        self.put(bytes);
    }

    /// A text; nothing for an empty one.
    #[inline]
    pub fn text(&mut self, field: u32, text: &str) {
        if !text.is_empty() {
            self.bytes(field, text.as_bytes());
        }
    }

    /// Opens a message: what is written until it is closed is its content.
    #[inline]
    pub fn open(&mut self, field: u32) -> Open {
        self.tag(field, BYTES);
        // Most messages here need two bytes for their length.
        self.put(&[0; 2]);
        Open(self.at)
    }

    /// Closes it.
    #[inline]
    pub fn close(&mut self, Open(begin): Open) {
        let length = self.at - begin;
        let bytes = varint_length(length as u64);
        if bytes != 2 {
            self.move_content(begin, bytes);
        }
        write_varint(&mut self.bytes[begin - 2..], length as u64);
    }

    #[cold]
    fn move_content(&mut self, begin: usize, bytes: usize) {
        self.room(bytes);
        let (end, to) = (self.at, begin - 2 + bytes);
        self.bytes.copy_within(begin..end, to);
        self.at = end - begin + to;
    }
}

/// Attributes.
impl Writer {
    /// A whole number. What OTLP has no room for is the largest that it has.
    #[inline]
    pub fn integer(&mut self, of: Of, key: &Key, value: u64) {
        let value = value.min(i64::MAX as u64);
        let digits = varint_length(value);
        let room = self.attribute(of, key, 1 + digits);
        room[0] = 0x18;
        write_varint(&mut room[1..], value);
    }

    /// A number.
    #[inline]
    pub fn double(&mut self, of: Of, key: &Key, value: f64) {
        let room = self.attribute(of, key, 9);
        room[0] = 0x21;
        room[1..9].copy_from_slice(&value.to_le_bytes());
    }

    /// True or false.
    #[inline]
    pub fn flag(&mut self, of: Of, key: &Key, value: bool) {
        let room = self.attribute(of, key, 2);
        room[..2].copy_from_slice(&[0x10, u8::from(value)]);
    }

    /// A text.
    pub fn string(&mut self, of: Of, key: &Key, text: &str) {
        self.begin_attribute(of, key, 1 + varint_length(text.len() as u64) + text.len());
        self.bytes(1, text.as_bytes());
    }

    /// A list of texts, each as [`element`] has made it.
    pub fn strings<'a>(&mut self, of: Of, key: &Key, elements: impl Iterator<Item = &'a [u8]> + Clone) {
        let content: usize = elements.clone().map(<[u8]>::len).sum();
        self.begin_attribute(of, key, 1 + varint_length(content as u64) + content);
        // `ArrayValue` in `AnyValue`.
        self.tag(5, BYTES);
        self.varint(content as u64);
        elements.for_each(|element| self.put(element));
    }

    /// Whatever a guest says: its key is as long as it likes, and `value` writes the content of an `AnyValue`.
    pub fn said(&mut self, of: Of, key: &str, value: impl FnOnce(&mut Writer)) {
        let attribute = self.open(of as u32 >> 3);
        self.text(1, key);
        let content = self.open(2);
        value(self);
        self.close(content);
        self.close(attribute);
    }

    /// Up to the value, which takes so many bytes: few enough for all lengths to be one byte, and there are [`LONGEST`] at least.
    #[inline]
    fn attribute(&mut self, of: Of, key: &Key, value: usize) -> &mut [u8] {
        const ALL: usize = 2 + Key::ROOM + 1 + 1 + LONGEST;
        self.room(ALL);
        let room = &mut self.bytes[self.at..self.at + ALL];
        let length = key.length.min(Key::ROOM);
        room[0] = of as u8;
        room[1] = (length + 1 + value) as u8;
        room[2..2 + Key::ROOM].copy_from_slice(&key.head);
        room[2 + length] = value as u8;
        self.at += 3 + length + value;
        &mut room[3 + length..]
    }

    /// Up to the value, whatever its length.
    fn begin_attribute(&mut self, of: Of, key: &Key, value: usize) {
        self.put(&[of as u8]);
        self.varint((key.length + varint_length(value as u64) + value) as u64);
        self.put(&key.head[..key.length]);
        self.varint(value as u64);
    }
}

/// A text as an element of [`Writer::strings`].
pub fn element(text: &str) -> Vec<u8> {
    let mut value = Writer::default();
    value.bytes(1, text.as_bytes());
    let mut element = Writer::default();
    element.bytes(1, value.written());
    element.written().to_vec()
}

#[inline]
fn write_varint(into: &mut [u8], mut value: u64) -> usize {
    let mut at = 0;
    while value >= 0x80 {
        into[at] = value as u8 | 0x80;
        value >>= 7;
        at += 1;
    }
    into[at] = value as u8;
    at + 1
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::{
        common::v1::{AnyValue, ArrayValue, KeyValue, any_value::Value},
        trace::v1::{Span, span::Event},
    };
    use prost::Message as _;

    use super::*;

    static KEY: Key = Key::new("http.response.status_code");

    /// Protects against messages that a reader takes for others: at every length at which a length takes a byte more.
    #[test]
    fn what_is_written_is_what_was_meant() {
        let mut writer = Writer::default();
        for length in [0, 1, 100, 126, 127, 128, 129, 16_382, 16_383, 16_384, 16_385, 1 << 21] {
            let name = "x".repeat(length);
            writer.restart(0);
            let event = writer.open(11);
            writer.text(2, &name);
            writer.close(event);
            writer.string(Of::Span, &KEY, &name);
            let elements = [element(&name), element("")];
            writer.strings(Of::Span, &KEY, elements.iter().map(Vec::as_slice));
            let span = Span::decode(writer.written()).unwrap();
            assert_eq!(span.events, [Event { name: name.clone(), ..Event::default() }], "{length}");
            let list = [&name, ""].map(|text| AnyValue { value: Some(Value::StringValue(text.to_owned())) }).to_vec();
            assert_eq!(span.attributes, [attribute(Value::StringValue(name)), attribute(Value::ArrayValue(ArrayValue { values: list }))]);
            // Not a byte more than is needed.
            assert_eq!(writer.written().len(), span.encoded_len(), "{length}");
        }
    }

    #[test]
    fn numbers_are_written_at_every_length() {
        let mut writer = Writer::default();
        let numbers = (0..64).flat_map(|bits| [(1_u64 << bits) - 1, 1 << bits]).chain([u64::MAX]);
        for number in numbers {
            writer.restart(0);
            writer.integer(Of::Span, &KEY, number);
            writer.double(Of::Span, &KEY, number as f64);
            writer.flag(Of::Span, &KEY, number % 2 == 1);
            writer.fixed64(7, number);
            writer.fixed32(16, number as u32);
            writer.number(10, number & 0xffff_ffff);
            let span = Span::decode(writer.written()).unwrap();
            let whole = Value::IntValue(i64::try_from(number).unwrap_or(i64::MAX));
            let values = [whole, Value::DoubleValue(number as f64), Value::BoolValue(number % 2 == 1)];
            assert_eq!(span.attributes, values.map(attribute));
            assert_eq!((span.start_time_unix_nano, span.flags, span.dropped_attributes_count), (number, number as u32, number as u32));
            assert_eq!(writer.written().len(), span.encoded_len());
        }
    }

    fn attribute(value: Value) -> KeyValue {
        KeyValue { key: "http.response.status_code".into(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
    }
}
