//! Where an encoder's bytes go: aside first, into place at commit, and nowhere if there is none.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use object_store::{MultipartUpload, ObjectStoreExt, PutMode, PutPayload};

use super::{
    failure::{io_error, store_error},
    held::{self, Created, Held},
    store::{Address, wait},
};
use crate::words::{delivery::Delivery, tables::TableError};

const BUFFER: usize = 256 * 1024;
/// S3 takes parts of at least 5 MiB and at most 10,000 of them: 160 GB per object.
const PART: usize = 16 * 1024 * 1024;

/// Where a file is to be in the end.
#[derive(Clone)]
pub enum Target {
    /// A real local path.
    Local {
        path: PathBuf,
        name: String,
    },
    Remote(Address),
}

impl Target {
    pub fn name(&self) -> &str {
        match self {
            Target::Local { name, .. } => name,
            Target::Remote(address) => &address.name,
        }
    }

    /// Whether something is there now. A folder is an error.
    pub fn exists(&self) -> Result<bool, TableError> {
        match self {
            Target::Local { path, name } => match held::look(path) {
                Ok(Some(found)) if found.is_file => Ok(true),
                Ok(Some(found)) => {
                    let what = if found.is_folder { "a folder" } else { "no regular file" };
                    Err(TableError::Options(format!("{name:?} is {what}; name a file to write")))
                }
                Ok(None) => Ok(false),
                Err(error) => Err(io_error(name, "looking at", &error)),
            },
            Target::Remote(address) => Ok(address.head()?.is_some()),
        }
    }
}

/// Bytes on their way to a target; dropped before [`Output::publish`], they leave no trace.
pub enum Output {
    Local(LocalOutput),
    Remote(RemoteOutput),
}

impl Output {
    /// Begins to write aside. `may_replace` is false where the target must not exist at commit.
    pub fn begin(target: &Target, may_replace: bool) -> Result<Self, TableError> {
        match target {
            Target::Local { path, name } => LocalOutput::begin(path, name, may_replace).map(Output::Local),
            Target::Remote(address) => Ok(Output::Remote(RemoteOutput::new(address.clone(), may_replace))),
        }
    }

    /// Makes what was written durable and visible, in one step.
    pub fn publish(self) -> Result<(), TableError> {
        match self {
            Output::Local(output) => output.publish(),
            Output::Remote(output) => output.publish(),
        }
    }
}

// === impl Write for Output ===

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Output::Local(output) => output.file.write(bytes),
            Output::Remote(output) => output.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Output::Local(output) => output.file.flush(),
            // Parts are sent when they are full; a smaller one would be refused.
            Output::Remote(_) => Ok(()),
        }
    }
}

/// A temporary file beside the target: `.name.XXXXXXXX.tmp`.
pub struct LocalOutput {
    // Dropped before the folders it is in.
    file: BufWriter<Aside>,
    path: PathBuf,
    name: String,
    may_replace: bool,
    created: Created,
}

/// A file in a folder that is held; removed when dropped before it is in place.
struct Aside {
    file: File,
    folder: Held,
    name: OsString,
    is_in_place: bool,
}

impl LocalOutput {
    fn begin(path: &Path, name: &str, may_replace: bool) -> Result<Self, TableError> {
        let failed = |error: io::Error| io_error(name, "creating", &error);
        let (folder, created) = Held::create(held::parent(path)).map_err(failed)?;
        let stem = path.file_name().unwrap_or_default().to_string_lossy();
        // A hidden name, so that nobody who lists the folder takes it for a table. Names are limited to 255 bytes.
        let stem = stem.chars().take(48).collect::<String>();
        let file = Aside::create(folder, &stem).map_err(failed)?;
        let file = BufWriter::with_capacity(BUFFER, file);
        Ok(LocalOutput { file, path: path.into(), name: name.into(), may_replace, created })
    }

    fn publish(self) -> Result<(), TableError> {
        let LocalOutput { file, path, name, may_replace, created } = self;
        let failed = |error: &io::Error| io_error(&name, "committing", error);
        let mut aside = file.into_inner().map_err(|error| failed(error.error()))?;
        aside.put_in_place(&path, may_replace).map_err(|error| failed(&error))?;
        // The new name is durable once its folder is, and a new folder once the one above is.
        created.keep().and_then(|()| aside.folder.sync()).map_err(|error| failed(&error))
    }
}

// === impl Aside ===

impl Aside {
    fn create(folder: Held, stem: &str) -> io::Result<Self> {
        loop {
            let name = OsString::from(format!(".{stem}.{}.tmp", Delivery::name()));
            match folder.create_file(&name) {
                Ok(file) => return Ok(Aside { file, folder, name, is_in_place: false }),
                // Another's, by a chance of one in four billion.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn put_in_place(&mut self, path: &Path, may_replace: bool) -> io::Result<()> {
        self.file.sync_all()?;
        let to = path.file_name().unwrap_or_default();
        match may_replace {
            true => self.folder.rename(&self.name, to),
            false => self.folder.rename_new(&self.name, to),
        }?;
        self.is_in_place = true;
        Ok(())
    }
}

impl Write for Aside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if !self.is_in_place {
            // Gone already, or nobody is left to tell.
            let _ = self.folder.remove(&self.name);
        }
    }
}

/// An object that is sent in parts; small ones in one request.
pub struct RemoteOutput {
    address: Address,
    may_replace: bool,
    buffer: Vec<u8>,
    upload: Option<Box<dyn MultipartUpload>>,
}

impl RemoteOutput {
    fn new(address: Address, may_replace: bool) -> Self {
        RemoteOutput { address, may_replace, buffer: Vec::new(), upload: None }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(PART - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..count]);
        if self.buffer.len() == PART {
            self.send().map_err(io::Error::other)?;
        }
        Ok(count)
    }

    fn send(&mut self) -> Result<(), TableError> {
        let failed = |error| store_error(&self.address.name, "writing", &error);
        if self.upload.is_none() {
            self.upload = Some(wait(self.address.store.put_multipart(&self.address.key)).map_err(failed)?);
        }
        let part = PutPayload::from(std::mem::take(&mut self.buffer));
        match &mut self.upload {
            Some(upload) => wait(upload.put_part(part)).map_err(failed),
            None => Ok(()),
        }
    }

    fn publish(mut self) -> Result<(), TableError> {
        let name = self.address.name.clone();
        let failed = |error| store_error(&name, "committing", &error);
        if self.upload.is_none() {
            let mode = if self.may_replace { PutMode::Overwrite } else { PutMode::Create };
            let bytes = PutPayload::from(std::mem::take(&mut self.buffer));
            let put = self.address.store.put_opts(&self.address.key, bytes, mode.into());
            return wait(put).map(drop).map_err(failed);
        }
        // Multipart uploads know no condition; between this look and the end somebody may still be faster.
        if !self.may_replace && self.address.head()?.is_some() {
            return Err(TableError::Options(format!("committing {name:?}: it exists already")));
        }
        if !self.buffer.is_empty() {
            self.send()?;
        }
        if let Some(upload) = &mut self.upload {
            wait(upload.complete()).map_err(failed)?;
        }
        self.upload = None;
        Ok(())
    }
}

impl Drop for RemoteOutput {
    fn drop(&mut self) {
        if let Some(mut upload) = self.upload.take() {
            // Nobody is left to tell; stores clear abandoned parts by lifecycle rules.
            let _ = wait(upload.abort());
        }
    }
}

/// An output, compressed as a whole where the name ends in `.gz`.
pub enum Packed {
    Plain(Output),
    Gzip(Box<GzEncoder<Output>>),
}

impl Packed {
    pub fn new(output: Output, gzip: bool) -> Self {
        if gzip { Packed::Gzip(Box::new(GzEncoder::new(output, Compression::default()))) } else { Packed::Plain(output) }
    }

    /// Ends the compression.
    pub fn finish(self) -> io::Result<Output> {
        match self {
            Packed::Plain(output) => Ok(output),
            Packed::Gzip(encoder) => encoder.finish(),
        }
    }
}

// === impl Write for Packed ===

impl Write for Packed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Packed::Plain(output) => output.write(bytes),
            Packed::Gzip(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Packed::Plain(output) => output.flush(),
            // A flush in the middle costs compression and makes nothing more durable.
            Packed::Gzip(_) => Ok(()),
        }
    }
}
