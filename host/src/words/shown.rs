//! A path as a person would write it.

use std::path::{Component, Path, PathBuf};

/// Without `.` anywhere: `tests/doubles` rather than `././tests/doubles`. The folder itself is `.`.
pub fn shown(path: &Path) -> PathBuf {
    let parts: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
    if parts.as_os_str().is_empty() { PathBuf::from(".") } else { parts }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against paths that nobody would write, and against others than were meant.
    #[test]
    fn paths_are_written_as_people_do() {
        let cases = [("././a/./b", "a/b"), (".", "."), ("./", "."), ("../x/.", "../x"), ("/a/./b", "/a/b"), ("a.b", "a.b")];
        for (path, wanted) in cases {
            assert_eq!(shown(Path::new(path)), Path::new(wanted), "{path}");
        }
    }
}
