//! Files that a run writes besides what its loads write: checked before anything runs, so that nobody finds out afterwards, and no
//! two of them are one file, or one that the pipeline reads or writes.

use std::{
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::Exit;
use crate::pipeline::plan::Plan;

/// An output: the argument that names it, and its path.
pub type Output<'a> = (&'static str, &'a Path);

/// Checks outputs against each other and against the pipeline's file.
pub fn check(outputs: &[Output<'_>], pipeline: &Path) -> Result<(), Exit> {
    for (at, (argument, path)) in outputs.iter().enumerate() {
        let shown = path.display();
        if path.is_dir() {
            return Err(Exit::Wrong(format!("{argument}: `{shown}` is a folder; name a file")));
        }
        if same(path, pipeline) {
            return Err(Exit::Wrong(format!("{argument}: `{shown}` is the pipeline file; name another file")));
        }
        if let Some((other, _)) = outputs[..at].iter().find(|(_, other)| same(path, other)) {
            return Err(Exit::Wrong(format!("{argument}: `{shown}` is what {other} writes to; name another file")));
        }
        let folder = folder(path);
        // What cannot be written beside it cannot be renamed to it.
        if let Err(error) = tempfile::tempfile_in(folder) {
            return Err(Exit::Wrong(format!("{argument}: nothing can be written to `{}`: {error}", folder.display())));
        }
    }
    Ok(())
}

/// Checks outputs against what the stages of a plan read and write.
pub fn check_plan(outputs: &[Output<'_>], plan: &Plan) -> Result<(), Exit> {
    for stage in &plan.stages {
        for dataset in &stage.datasets {
            let location = dataset.location.strip_prefix("sqlite:").unwrap_or(&dataset.location);
            let location = stage.opening.grants.base.join(location);
            if let Some((argument, path)) = outputs.iter().find(|(_, path)| same(path, &location)) {
                let does = if dataset.written { "writes" } else { "reads" };
                let shown = path.display();
                return Err(Exit::Wrong(format!("{argument}: stage `{}` {does} `{shown}`; name another file", stage.name)));
            }
        }
    }
    Ok(())
}

/// Writes a file whole or not at all.
pub fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = tempfile::Builder::new().permissions(std::fs::Permissions::from_mode(0o666)).tempfile_in(folder(path))?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether two paths lead to one file, also where it does not exist yet.
fn same(one: &Path, other: &Path) -> bool {
    resolved(one) == resolved(other)
}

fn resolved(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| {
        let folder = folder(path).canonicalize().unwrap_or_else(|_| folder(path).to_owned());
        path.file_name().map_or_else(|| folder.clone(), |name| folder.join(name))
    })
}
