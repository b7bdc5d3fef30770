//! SQLite in a folder that is held open. It works by paths, that of a database and those of the files beside it; here they lead through the
//! folder's descriptor, so into that folder, whatever was renamed or linked meanwhile. And a journal that names a file elsewhere leads it
//! nowhere, also one that comes after `sqlite` has looked.
//!
//! SQLite's own way to files (a VFS, <https://sqlite.org/vfs.html>) does everything, but for two questions.

use std::{
    ffi::{CStr, c_char, c_int},
    ops::Deref,
    path::Path,
    ptr,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
};

use rusqlite::{
    Connection, OpenFlags,
    ffi::{self, sqlite3_file, sqlite3_filename, sqlite3_vfs},
};

use super::held::{Held, Identity};

const NAME: &CStr = c"parshall";
/// Paths that begin so lead through a descriptor, and must stay as they are: followed, they would be the path that the folder has now.
const DESCRIPTORS: &[u8] = b"/proc/self/fd/";

/// A connection, and the folder of its database.
pub struct Opened {
    // Closed before the folder is.
    connection: Connection,
    _folder: Arc<Held>,
}

/// Opens a database that is in this folder, and has this path.
pub fn open(folder: Held, path: &Path, flags: OpenFlags) -> rusqlite::Result<Opened> {
    register();
    let folder = shared(folder);
    // Without descriptors among the paths, the path is the real one, and SQLite refuses links in it that came later.
    let path = folder.path().map_or_else(|| path.to_owned(), |held| held.join(path.file_name().unwrap_or_default()));
    // Without SQLITE_OPEN_URI: a path that begins with `file:` is a path.
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags_and_vfs(path, flags, NAME).map_err(without_path)?;
    Ok(Opened { connection, _folder: folder })
}

/// The folder, by the descriptor that connections have already. What connections to one file share, SQLite keeps under the path of the
/// first, and removes it by that path with the last: it must be good for as long.
fn shared(folder: Held) -> Arc<Held> {
    static FOLDERS: Mutex<Vec<(Identity, Weak<Held>)>> = Mutex::new(Vec::new());
    let Ok(identity) = folder.identity() else { return Arc::new(folder) };
    let mut folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    folders.retain(|(_, folder)| folder.strong_count() > 0);
    let known = folders.iter().find(|(known, _)| *known == identity).and_then(|(_, folder)| folder.upgrade());
    known.unwrap_or_else(|| {
        let folder = Arc::new(folder);
        folders.push((identity, Arc::downgrade(&folder)));
        folder
    })
}

/// The path says nothing to people.
fn without_path(error: rusqlite::Error) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqliteFailure(code, Some(text)) => {
            let text = text.split(": /").next().unwrap_or_default().to_owned();
            rusqlite::Error::SqliteFailure(code, Some(text))
        }
        other => other,
    }
}

// === impl Deref for Opened ===

impl Deref for Opened {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

type OpenFile = unsafe extern "C" fn(*mut sqlite3_vfs, sqlite3_filename, *mut sqlite3_file, c_int, *mut c_int) -> c_int;
type FullPath = unsafe extern "C" fn(*mut sqlite3_vfs, *const c_char, c_int, *mut c_char) -> c_int;

/// What SQLite's own VFS does where ours does otherwise.
static USUAL: OnceLock<(OpenFile, FullPath)> = OnceLock::new();

/// Makes the VFS known to SQLite, once. If that fails, opening does, for want of it.
fn register() {
    USUAL.get_or_init(|| {
        // SAFETY: SQLite answers with a VFS that stays, or null. The copy stays too, and says what the original says but for its name, its
        // place in SQLite's list, which SQLite sets, and two functions, which pass on what they were called with.
        unsafe {
            let usual = ffi::sqlite3_vfs_find(ptr::null()).as_ref();
            let usual = usual.expect("SQLite is compiled with the VFS of this system");
            let functions = usual.xOpen.zip(usual.xFullPathname).expect("a VFS has these functions");
            let own = sqlite3_vfs {
                zName: NAME.as_ptr(),
                pNext: ptr::null_mut(),
                xOpen: Some(open_file),
                xFullPathname: Some(full_path),
                ..*usual
            };
            ffi::sqlite3_vfs_register(Box::into_raw(Box::new(own)), 0);
            functions
        }
    });
}

/// SAFETY: called by SQLite, by its rules for `xOpen`: `file` has room for a file of this VFS.
unsafe extern "C" fn open_file(
    vfs: *mut sqlite3_vfs,
    name: sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // A journal names one where a transaction spanned several databases, which nothing here makes.
    match USUAL.get() {
        Some((open, _)) if flags & ffi::SQLITE_OPEN_SUPER_JOURNAL == 0 => unsafe { open(vfs, name, file, flags, out) },
        _ => {
            // So it is not closed either.
            unsafe { (*file).pMethods = ptr::null() };
            ffi::SQLITE_CANTOPEN
        }
    }
}

/// SAFETY: called by SQLite, by its rules for `xFullPathname`: `name` ends with a zero, and `full` has room for `size` bytes.
unsafe extern "C" fn full_path(vfs: *mut sqlite3_vfs, name: *const c_char, size: c_int, full: *mut c_char) -> c_int {
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    match USUAL.get() {
        Some(_) if bytes.starts_with(DESCRIPTORS) && bytes.len() <= size as usize => {
            unsafe { ptr::copy_nonoverlapping(name, full, bytes.len()) };
            ffi::SQLITE_OK
        }
        Some((_, usual)) => unsafe { usual(vfs, name, size, full) },
        None => ffi::SQLITE_CANTOPEN,
    }
}
