//! Which processes belong to a console? Read from `/proc`.

use std::{fs, process::Command};

/// `root` and all that came from it, parents before children.
pub(crate) fn tree(root: u32) -> Vec<u32> {
    let all: Vec<u32> = fs::read_dir("/proc")
        .expect("/proc")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    let mut tree = vec![root];
    let mut looked = 0;
    while looked < tree.len() {
        let from = tree[looked];
        tree.extend(all.iter().copied().filter(|process| parent(*process) == Some(from)));
        looked += 1;
    }
    tree
}

/// Those of `root`'s tree that run the program `name`.
pub(crate) fn running(root: u32, name: &str) -> Vec<u32> {
    tree(root).into_iter().filter(|process| is(*process, name)).collect()
}

/// Whether it still runs; one that has ended and waits to be looked after does not.
pub(crate) fn is(process: u32, name: &str) -> bool {
    let Ok(program) = fs::read_link(format!("/proc/{process}/exe")) else { return false };
    program.file_name().is_some_and(|program| program == name)
}

pub(crate) fn signal(process: u32, signal: &str) -> bool {
    Command::new("kill").args([signal, &process.to_string()]).status().is_ok_and(|status| status.success())
}

fn parent(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
