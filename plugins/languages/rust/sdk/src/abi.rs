//! The contract's types as they lie in memory: the canonical ABI lays records and variants out as `repr(C)` and `repr(C, u8)`.

// Most fields are written here and read by the host.
#![allow(dead_code)]

/// A list, or a string: address and length.
#[repr(C)]
pub struct List<T> {
    at: *const T,
    length: usize,
}

pub type Text = List<u8>;

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for List<T> {}

impl<T> List<T> {
    /// Points at items that must outlive the call.
    pub fn of(items: &[T]) -> Self {
        List { at: items.as_ptr(), length: items.len() }
    }

    pub const fn raw(at: *const T, length: usize) -> Self {
        List { at, length }
    }

    /// # Safety
    /// What it points at is alive: it came from the host, and the call is not over.
    pub unsafe fn slice<'a>(self) -> &'a [T] {
        if self.length == 0 { &[] } else { unsafe { std::slice::from_raw_parts(self.at, self.length) } }
    }
}

impl Text {
    /// # Safety
    /// As `slice`; and it is a string.
    pub unsafe fn string(self) -> String {
        unsafe { std::str::from_utf8_unchecked(self.slice()) }.to_owned()
    }
}

#[repr(C, u8)]
#[derive(Clone, Copy)]
pub enum Maybe<T> {
    None,
    Some(T),
}

#[repr(C, u8)]
#[derive(Clone, Copy)]
pub enum Outcome<T, E> {
    Ok(T),
    Err(E),
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Pair {
    pub key: Text,
    pub value: Text,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Field {
    pub name: Text,
    pub format: Text,
    pub flags: u8,
    pub children: u32,
    pub metadata: List<Pair>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Schema {
    pub fields: List<Field>,
    pub metadata: List<Pair>,
}

/// `port`, and `input`, which has the same shape.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Port {
    pub name: Text,
    pub schema: Schema,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Node {
    pub length: u64,
    pub null_count: u64,
    pub variadic: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Arrays {
    pub nodes: List<Node>,
    pub buffers: List<List<u8>>,
}

#[repr(C, u8)]
#[derive(Clone, Copy)]
pub enum Rows {
    All,
    Bitmap(List<u8>),
    Indices(List<u32>),
    Fresh(u64),
}

#[repr(C, u8)]
#[derive(Clone, Copy)]
pub enum Source {
    Input(u32),
    Made,
}

#[repr(C, u8)]
#[derive(Clone, Copy)]
pub enum Columns {
    Untouched,
    Each(List<Source>),
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Output {
    pub port: u32,
    pub rows: Rows,
    pub columns: Columns,
    pub made: Arrays,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Rejection {
    pub row: u32,
    pub reason: Text,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Answer {
    pub outputs: List<Output>,
    pub rejections: List<Rejection>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ConfigError {
    pub pointer: Text,
    pub offset: Maybe<u32>,
    pub message: Text,
    pub help: Maybe<Text>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct SchemaError {
    pub column: Maybe<Text>,
    pub message: Text,
}

#[repr(C, u8)]
#[derive(Clone, Copy)]
pub enum StageError {
    Config(ConfigError),
    Schema(SchemaError),
    Data(Text),
    Unavailable(Text),
    Internal(Text),
}

#[repr(C)]
pub struct Description {
    pub name: Text,
    pub version: Text,
    pub summary: Text,
    pub documentation: Text,
    pub config_schema: Text,
    pub stateful: bool,
}

#[repr(C, u8)]
pub enum FrameError {
    NoSuchColumn(Text),
    TooLarge(u64),
}

#[cfg(target_arch = "wasm32")]
#[link(wasm_import_module = "parshall:stage/frames@0.1.0")]
unsafe extern "C" {
    #[link_name = "[method]frame.read"]
    pub fn read(frame: u32, columns: *const u32, count: usize, result: *mut Outcome<Arrays, FrameError>);
    #[link_name = "[resource-drop]frame"]
    pub fn drop(frame: u32);
}

/// There is no host in a native build, which exists for linters and editors.
///
/// # Safety
/// Never returns.
#[cfg(not(target_arch = "wasm32"))]
pub unsafe fn read(_: u32, _: *const u32, _: usize, _: *mut Outcome<Arrays, FrameError>) {
    unreachable!("no host")
}

/// As [`read`].
///
/// # Safety
/// Never returns.
#[cfg(not(target_arch = "wasm32"))]
pub unsafe fn drop(_: u32) {
    unreachable!("no host")
}
