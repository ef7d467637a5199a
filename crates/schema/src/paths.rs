//! Paths of IDL files, and the circles their includes make.

use std::path::{Component, Path, PathBuf};

/// A path without `.` and without `x/..`.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// A path as text with `/`.
pub(crate) fn slashes(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// A way from a file back to itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Circle {
    /// The file whose include closes it.
    pub file: usize,
    /// Which of its includes that is.
    pub edge: usize,
    /// The files on the way; the first and the last are the same.
    pub way: Vec<usize>,
}

/// Every include that leads back to a file on the way to it; `edges` are the included files of each file.
pub(crate) fn circles(edges: &[Vec<usize>]) -> Vec<Circle> {
    let mut found = Vec::new();
    // 0: not seen, 1: on the way, 2: done. The way is kept in a list of its own, so that depth costs no stack.
    let mut state = vec![0u8; edges.len()];
    for root in 0..edges.len() {
        let mut way = vec![(root, 0)];
        while let Some((file, next)) = way.pop() {
            if next == 0 && std::mem::replace(&mut state[file], 1) != 0 {
                state[file] = 2;
                continue;
            }
            let Some(target) = edges[file].get(next) else {
                state[file] = 2;
                continue;
            };
            way.push((file, next + 1));
            match state[*target] {
                0 => way.push((*target, 0)),
                1 => {
                    let begin = way.iter().position(|(step, _)| step == target).unwrap_or(0);
                    let files = way[begin..].iter().map(|(step, _)| *step).chain([*target]).collect();
                    found.push(Circle { file, edge: next, way: files });
                }
                _ => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_plain() {
        assert_eq!(normal(Path::new("./a/../b/./c.proto")), PathBuf::from("b/c.proto"));
        assert_eq!(normal(Path::new("../a/b")), PathBuf::from("../a/b"));
    }

    #[test]
    fn circles_are_found_once() {
        assert_eq!(circles(&[vec![1], vec![2], vec![]]), []);
        assert_eq!(circles(&[vec![0]]), [Circle { file: 0, edge: 0, way: vec![0, 0] }]);
        let both = circles(&[vec![2, 1], vec![0, 2], vec![]]);
        assert_eq!(both, [Circle { file: 1, edge: 0, way: vec![0, 1, 0] }]);
    }
}
