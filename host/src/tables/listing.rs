//! Which files a location stands for: one, those in a folder, or those that match a pattern; sorted, each granted.

use std::{
    cell::RefCell,
    collections::HashSet,
    fs,
    path::{Path as FsPath, PathBuf},
};

use object_store::path::Path;

use super::{
    access::{self, Access},
    format::{Format, Named, unknown},
    location::{Location, ObjectUrl, is_pattern, shown},
    store::{Address, Children, Stores},
};
use crate::words::{grants::Grants, tables::TableError};

/// Beyond this many files, a pattern is a mistake rather than a table.
const FILE_LIMIT: usize = 1_000_000;
/// `**` goes no deeper.
const DEPTH_LIMIT: usize = 64;

/// The files of a table, and their format.
pub struct Listing {
    pub files: Vec<Address>,
    pub format: Format,
}

/// What is there at one moment, which may be nothing.
pub struct Found {
    pub files: Vec<Address>,
    /// The folders that were looked into: files can only have joined where one of them has changed.
    pub folders: Vec<PathBuf>,
}

/// As [`list`] for a local path, but nothing there is no error, and the formats need not agree.
pub fn look(stores: &Stores, grants: &Grants, path: &FsPath, format: Option<Format>) -> Result<Found, TableError> {
    let tree = Tree { stores, grants, bucket: None, visited: RefCell::default() };
    let key = path.to_string_lossy().trim_start_matches('/').to_string();
    let segments = key.split('/').filter(|segment| !segment.is_empty()).collect::<Vec<_>>();
    let files = if segments.iter().any(|segment| is_pattern(segment)) {
        tree.matching(&segments)?
    } else {
        let path = parse(&key)?;
        if tree.is_folder(&path, false)? {
            tree.files_in(&path, format)?
        } else {
            let address = tree.admit(&path)?;
            tree.visit(FsPath::new("/").join(address.key.as_ref()).parent());
            // Where a link leads elsewhere, it is the link's folder that tells of another link in its place.
            tree.visit(FsPath::new("/").join(path.as_ref()).parent());
            vec![address]
        }
    };
    Ok(Found { files, folders: tree.visited.into_inner() })
}

/// Finds the files of a location. `format` is what the options say, if they do.
pub fn list(stores: &Stores, grants: &Grants, location: &Location, format: Option<Format>) -> Result<Listing, TableError> {
    let tree = Tree { stores, grants, bucket: bucket(location), visited: RefCell::default() };
    let (key, name) = match location {
        Location::Path(path) => (path.to_string_lossy().trim_start_matches('/').to_string(), shown(&grants.base, path)),
        Location::Url(url) => (url.key.clone(), url.to_string()),
        Location::Generator => return Err(TableError::Options("a generator is no list of files".into())),
        Location::Sqlite(_) => return Err(TableError::Options("an SQLite database is no list of files".into())),
    };
    let segments = key.split('/').filter(|segment| !segment.is_empty()).collect::<Vec<_>>();
    if segments.iter().any(|segment| is_pattern(segment)) {
        let found = tree.matching(&segments)?;
        if found.is_empty() {
            return Err(TableError::NotFound(format!("no file matches {name:?}")));
        }
        let format = agree(format.or_else(|| Named::of(&key).map(|named| named.format)), &found, &name)?;
        return Ok(Listing { files: found, format });
    }
    let path = parse(&key)?;
    if tree.is_folder(&path, key.ends_with('/'))? {
        return tree.folder(&path, format, &name);
    }
    let file = tree.admit(&path)?;
    let format = format.or_else(|| Named::of(&key).map(|named| named.format)).ok_or_else(|| unknown(&name))?;
    Ok(Listing { files: vec![file], format })
}

/// The stated format, or the one that all names agree on.
fn agree(format: Option<Format>, files: &[Address], name: &str) -> Result<Format, TableError> {
    if let Some(format) = format {
        return Ok(format);
    }
    let of = |file: &Address| Named::of(&file.name).map(|named| named.format).ok_or_else(|| unknown(&file.name));
    let first = of(&files[0])?;
    for file in files {
        if of(file)? != first {
            return Err(TableError::Options(format!(
                "{name:?} holds files of several formats ({:?} and {:?}); give the option \"format\" or a narrower pattern",
                files[0].name, file.name
            )));
        }
    }
    Ok(first)
}

fn bucket(location: &Location) -> Option<&ObjectUrl> {
    match location {
        Location::Url(url) => Some(url),
        _ => None,
    }
}

fn parse(key: &str) -> Result<Path, TableError> {
    Path::parse(key).map_err(|error| TableError::Options(format!("the location cannot be used: {error}")))
}

/// Local files and one bucket look alike from here: keys below a root.
struct Tree<'a> {
    stores: &'a Stores,
    grants: &'a Grants,
    bucket: Option<&'a ObjectUrl>,
    /// Local folders that files were looked for in.
    visited: RefCell<Vec<PathBuf>>,
}

/// A file that matched: as it was found, and as it may be opened.
type Match = (Path, Address);

impl Tree<'_> {
    /// Checks the grants for one key and answers where it really is.
    fn admit(&self, key: &Path) -> Result<Address, TableError> {
        if let Some(bucket) = self.bucket {
            let url = ObjectUrl { key: key.to_string(), ..bucket.clone() };
            access::url(self.grants, Access::Read, &url)?;
            return self.stores.remote(&url);
        }
        let path = FsPath::new("/").join(key.as_ref());
        let real = access::path(self.grants, Access::Read, &path)?;
        self.stores.local(&real, shown(&self.grants.base, &path))
    }

    /// As [`Tree::admit`], for a folder that is to be listed: a grant of `s3://b/data/` covers listing `data`.
    fn admit_folder(&self, key: &Path) -> Result<Address, TableError> {
        let Some(bucket) = self.bucket else { return self.admit(key) };
        let slash = if key.as_ref().is_empty() { "" } else { "/" };
        let url = ObjectUrl { key: format!("{key}{slash}"), ..bucket.clone() };
        access::url(self.grants, Access::Read, &url)?;
        self.stores.remote(&url)
    }

    fn is_folder(&self, key: &Path, says_so: bool) -> Result<bool, TableError> {
        if self.bucket.is_some() {
            return Ok(says_so || key.as_ref().is_empty());
        }
        let at = self.admit(key)?;
        let meta = fs::metadata(FsPath::new("/").join(at.key.as_ref()));
        // Devices and pipes would block or never end; they are no tables.
        match meta {
            Ok(meta) if !meta.is_dir() && !meta.is_file() => {
                Err(TableError::Options(format!("{:?} is neither a file nor a folder", at.name)))
            }
            Ok(meta) => Ok(meta.is_dir()),
            Err(_) => Ok(false),
        }
    }

    fn visit(&self, folder: Option<&FsPath>) {
        self.visited.borrow_mut().extend(folder.map(FsPath::to_path_buf));
    }

    /// As [`Tree::admit_folder`], to look into.
    fn enter(&self, key: &Path) -> Result<Address, TableError> {
        let folder = self.admit_folder(key)?;
        if folder.is_local {
            self.visit(Some(&FsPath::new("/").join(folder.key.as_ref())));
        }
        Ok(folder)
    }

    /// The files directly in a folder that have the format, by their names.
    fn files_in(&self, key: &Path, format: Option<Format>) -> Result<Vec<Address>, TableError> {
        let listed = self.enter(key)?.children()?;
        let mut files = Vec::new();
        for file in listed.files {
            let named = Named::of(&file).map(|named| named.format);
            if !file.starts_with('.') && named.is_some() && (format.is_none() || named == format) {
                let child = below(key, &file)?;
                files.push((child.clone(), self.admit(&child)?));
            }
        }
        Ok(sorted(files))
    }

    fn folder(&self, key: &Path, format: Option<Format>, name: &str) -> Result<Listing, TableError> {
        let files = self.files_in(key, format)?;
        if files.is_empty() {
            let what = format.map_or("table", Format::name);
            return Err(TableError::NotFound(format!("the folder {name:?} holds no {what} file")));
        }
        let format = agree(format, &files, name)?;
        Ok(Listing { files, format })
    }

    fn matching(&self, segments: &[&str]) -> Result<Vec<Address>, TableError> {
        let mut walk = Walk { found: Vec::new(), seen: HashSet::new() };
        self.expand(&Path::default(), segments, 0, &mut walk)?;
        Ok(sorted(walk.found))
    }

    fn expand(&self, folder: &Path, segments: &[&str], depth: usize, walk: &mut Walk) -> Result<(), TableError> {
        let Some((&segment, rest)) = segments.split_first() else {
            return Ok(());
        };
        if segment == "**" {
            return self.expand_deep(folder, rest, depth, walk);
        }
        if !is_pattern(segment) {
            let child = below(folder, segment)?;
            if !rest.is_empty() {
                return self.expand(&child, rest, depth, walk);
            }
            let address = self.admit(&child)?;
            self.enter(folder)?;
            return if address.head()?.is_some() { walk.push(child, address) } else { Ok(()) };
        }
        let Some(listed) = self.children(folder)? else { return Ok(()) };
        if rest.is_empty() {
            for name in listed.files {
                if matches(segment, &name) {
                    let child = below(folder, &name)?;
                    let address = self.admit(&child)?;
                    walk.push(child, address)?;
                }
            }
            return Ok(());
        }
        for name in listed.folders {
            if matches(segment, &name) {
                self.expand(&below(folder, &name)?, rest, depth, walk)?;
            }
        }
        Ok(())
    }

    /// `**`: this folder and all below it, each real folder once, so that symbolic links cannot make a circle.
    fn expand_deep(&self, folder: &Path, rest: &[&str], depth: usize, walk: &mut Walk) -> Result<(), TableError> {
        let rest = if rest.is_empty() { &["*"] } else { rest };
        let real = self.admit_folder(folder)?.key;
        if depth > DEPTH_LIMIT || !walk.seen.insert((real, rest.len())) {
            return Ok(());
        }
        self.expand(folder, rest, depth, walk)?;
        let Some(listed) = self.children(folder)? else { return Ok(()) };
        for name in listed.folders {
            if !name.starts_with('.') {
                self.expand_deep(&below(folder, &name)?, rest, depth + 1, walk)?;
            }
        }
        Ok(())
    }

    fn children(&self, folder: &Path) -> Result<Option<Children>, TableError> {
        match self.enter(folder)?.children() {
            Ok(listed) => Ok(Some(listed)),
            Err(TableError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

struct Walk {
    found: Vec<Match>,
    seen: HashSet<(Path, usize)>,
}

impl Walk {
    fn push(&mut self, key: Path, address: Address) -> Result<(), TableError> {
        if self.found.len() == FILE_LIMIT {
            return Err(TableError::Options(format!("more than {FILE_LIMIT} files match; give a narrower pattern")));
        }
        self.found.push((key, address));
        Ok(())
    }
}

/// By name, each real file once.
fn sorted(mut files: Vec<Match>) -> Vec<Address> {
    files.sort_by(|a, b| a.0.cmp(&b.0));
    let mut seen = HashSet::new();
    files.into_iter().map(|file| file.1).filter(|file| seen.insert(file.key.clone())).collect()
}

/// A name below a folder, taken literally: joining would encode some characters.
fn below(folder: &Path, name: &str) -> Result<Path, TableError> {
    parse(&format!("{folder}/{name}"))
}

/// Whether a name matches a segment of a pattern. As in a shell, a leading dot must be written.
fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name) = (pattern.chars().collect::<Vec<_>>(), name.chars().collect::<Vec<_>>());
    let (mut p, mut n) = (0, 0);
    // Where the last `*` stood, and how much of the name it has swallowed: one step back is enough.
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == '?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((at, swallowed)) = star else { return false };
                star = Some((at, swallowed + 1));
                p = at + 1;
                n = swallowed + 1;
            }
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}
