//! Storage below every format: objects that are opened once and read by ranges, wherever they are.

use std::{
    collections::HashMap,
    fs::File,
    future::Future,
    ops::Range,
    path::Path as FsPath,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

use bytes::Bytes;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, local::LocalFileSystem, path::Path};

use super::{
    failure::{io_error, store_error},
    fault::Fault,
    held::{self, Held},
    location::ObjectUrl,
};
use crate::words::tables::TableError;

/// The stores in use: the local one, and one per bucket.
pub struct Stores {
    local: Arc<dyn ObjectStore>,
    buckets: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
}

impl Default for Stores {
    fn default() -> Self {
        Stores { local: Arc::new(LocalFileSystem::new()), buckets: Mutex::default() }
    }
}

impl Stores {
    /// A local file or folder, by its real path.
    pub fn local(&self, path: &FsPath, name: String) -> Result<Address, TableError> {
        let key = Path::from_absolute_path(path)
            .map_err(|error| TableError::Options(format!("the path {name:?} cannot be used: {error}; rename the file")))?;
        Ok(Address { store: self.local.clone(), key, name, is_local: true, fault: Fault::default() })
    }

    /// An object, or a prefix of objects.
    pub fn remote(&self, url: &ObjectUrl) -> Result<Address, TableError> {
        let key = Path::parse(&url.key)
            .map_err(|error| TableError::Options(format!("the key of {:?} cannot be used: {error}", url.to_string())))?;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = format!("{}://{}", url.scheme, url.bucket);
        let store = match buckets.get(&bucket) {
            Some(store) => store.clone(),
            None => buckets.entry(bucket).or_insert(connect(url)?).clone(),
        };
        Ok(Address { store, key, name: url.to_string(), is_local: false, fault: Fault::default() })
    }

    /// Puts a store behind a bucket, so that tests need no network.
    #[cfg(test)]
    pub fn insert(&self, bucket: &str, store: Arc<dyn ObjectStore>) {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner).insert(bucket.into(), store);
    }
}

#[cfg(feature = "s3")]
fn connect(url: &ObjectUrl) -> Result<Arc<dyn ObjectStore>, TableError> {
    if url.scheme != "s3" {
        return Err(unknown_scheme(url));
    }
    // One library for TLS, as everywhere here; its client asks for none by itself.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = object_store::aws::AmazonS3Builder::from_env().with_bucket_name(&url.bucket);
    let store = builder.build().map_err(|error| store_error(&url.to_string(), "connecting to", &error))?;
    Ok(Arc::new(store))
}

#[cfg(not(feature = "s3"))]
fn connect(url: &ObjectUrl) -> Result<Arc<dyn ObjectStore>, TableError> {
    if url.scheme != "s3" {
        return Err(unknown_scheme(url));
    }
    Err(TableError::Options(format!(
        "{:?} needs the cargo feature \"s3\", which this binary was built without; build it with --features s3",
        url.to_string()
    )))
}

fn unknown_scheme(url: &ObjectUrl) -> TableError {
    TableError::Options(format!(
        "{:?}: nothing here speaks \"{}://\"; use a path, file://, s3:// or sqlite:PATH",
        url.to_string(),
        url.scheme
    ))
}

/// Where an object is, whether or not it exists.
#[derive(Clone)]
pub struct Address {
    pub store: Arc<dyn ObjectStore>,
    pub key: Path,
    /// For people, and for positions.
    pub name: String,
    pub is_local: bool,
    pub fault: Fault,
}

/// What is directly below a folder, by the last part of the name, sorted.
#[derive(Default)]
pub struct Children {
    pub folders: Vec<String>,
    pub files: Vec<String>,
}

impl Address {
    /// Where it is, if it is local.
    pub fn path(&self) -> std::path::PathBuf {
        FsPath::new("/").join(self.key.as_ref())
    }

    /// What is directly below. Of a local folder, links are followed and those that lead nowhere left out.
    pub fn children(&self) -> Result<Children, TableError> {
        let mut children = if self.is_local { self.local_children() } else { self.remote_children() }?;
        children.folders.sort_unstable();
        children.files.sort_unstable();
        Ok(children)
    }

    /// Not by the store: a link to a folder above makes its listing fail as a whole.
    fn local_children(&self) -> Result<Children, TableError> {
        let failed = |error: std::io::Error| io_error(&self.name, "listing", &error);
        let folder = Held::open(&self.path()).map_err(failed)?;
        let mut children = Children::default();
        for name in folder.names().map_err(failed)? {
            let Ok(Some(found)) = folder.look_through(name.as_ref()) else { continue };
            match (found.is_folder, found.is_file) {
                (true, _) => children.folders.push(name),
                (_, true) => children.files.push(name),
                _ => {}
            }
        }
        Ok(children)
    }

    fn remote_children(&self) -> Result<Children, TableError> {
        let prefix = (!self.key.as_ref().is_empty()).then_some(&self.key);
        let listed = wait(self.store.list_with_delimiter(prefix)).map_err(|error| store_error(&self.name, "listing", &error))?;
        let name = |path: &Path| path.filename().unwrap_or_default().to_string();
        Ok(Children {
            folders: listed.common_prefixes.iter().map(name).collect(),
            files: listed.objects.iter().map(|object| name(&object.location)).collect(),
        })
    }

    /// What is known of the object, or nothing if it does not exist.
    pub fn head(&self) -> Result<Option<ObjectMeta>, TableError> {
        match wait(self.store.head(&self.key)) {
            Ok(meta) => Ok(Some(meta)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(store_error(&self.name, "looking at", &error)),
        }
    }
}

/// An open object, of which ranges can be read.
pub struct Object {
    pub address: Address,
    /// Of a local one the open file: one descriptor and plain positioned reads from then on.
    file: Option<File>,
    pub size: u64,
}

impl Object {
    pub fn open(address: &Address) -> Result<Self, TableError> {
        address.fault.note(Self::open_now(address))
    }

    fn open_now(address: &Address) -> Result<Self, TableError> {
        let failed = |error| store_error(&address.name, "opening", &error);
        if !address.is_local {
            let size = wait(address.store.head(&address.key)).map_err(failed)?.size;
            return Ok(Object { address: address.clone(), file: None, size });
        }
        // Not by the store, which would follow a link that was put there after the path was checked.
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => TableError::NotFound(format!("opening {:?}: there is nothing there", address.name)),
            _ => io_error(&address.name, "opening", &error),
        };
        let file = held::read(&address.path()).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        Ok(Object { address: address.clone(), file: Some(file), size })
    }

    pub fn name(&self) -> &str {
        &self.address.name
    }

    /// Exactly these bytes; a range beyond the end is an error.
    pub fn read(&self, range: Range<u64>) -> Result<Bytes, TableError> {
        self.check(&range)?;
        // Some stores refuse to answer nothing.
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        self.address.fault.note(match &self.file {
            Some(file) => read_at(file, &range).map_err(|error| io_error(self.name(), "reading", &error)),
            None => {
                wait(self.address.store.get_range(&self.address.key, range)).map_err(|error| store_error(self.name(), "reading", &error))
            }
        })
    }

    /// Several ranges, none empty; from a remote store in parallel, neighbours merged.
    pub fn read_all(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, TableError> {
        ranges.iter().try_for_each(|range| self.check(range))?;
        if self.file.is_some() {
            return ranges.iter().map(|range| self.read(range.clone())).collect();
        }
        let read = wait(self.address.store.get_ranges(&self.address.key, ranges));
        self.address.fault.note(read.map_err(|error| store_error(self.name(), "reading", &error)))
    }

    /// Refuses before anything is allocated: corrupt files ask for absurd ranges.
    fn check(&self, range: &Range<u64>) -> Result<(), TableError> {
        if range.start <= range.end && range.end <= self.size {
            return Ok(());
        }
        Err(TableError::Format(format!(
            "reading {:?}: bytes {}..{} are asked for, but it has {}; it is cut short or corrupt",
            self.name(),
            range.start,
            range.end,
            self.size
        )))
    }
}

fn read_at(file: &File, range: &Range<u64>) -> std::io::Result<Bytes> {
    use std::os::unix::fs::FileExt;
    let mut bytes = vec![0; (range.end - range.start) as usize];
    file.read_exact_at(&mut bytes, range.start)?;
    Ok(bytes.into())
}

/// Waits for a store's answer on this thread. Works inside and outside of an async runtime: the local store answers
/// at once, or from the blocking pool of the runtime that happens to be around.
pub fn wait<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    #[cfg(feature = "s3")]
    let _reactor = reactor().enter();
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Sockets and timers of remote stores: one runtime on one thread of its own, started with the first use.
#[cfg(feature = "s3")]
fn reactor() -> &'static tokio::runtime::Handle {
    use std::sync::OnceLock;
    static REACTOR: OnceLock<tokio::runtime::Handle> = OnceLock::new();
    REACTOR.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("the system grants a poller; without one there is no network");
        let handle = runtime.handle().clone();
        let run = move || runtime.block_on(std::future::pending::<()>());
        thread::Builder::new().name("tables-io".into()).spawn(run).expect("the system grants a thread");
        handle
    })
}
