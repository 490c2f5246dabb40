//! Which machine was this measured on?

use std::{fs, process::Command};

use crate::process::answer;

/// Processor, cores, memory, system, the web engine, and how busy the machine is with other things. What is not known
/// is left out.
pub(crate) fn describe() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let engine = answer(Command::new("pkg-config").args(["--modversion", "webkit2gtk-4.1"]));
    let parts = [
        after(&read("/proc/cpuinfo"), "model name", ':'),
        Some(format!("{cores} cores")),
        after(&read("/proc/meminfo"), "MemTotal", ':').and_then(|total| in_gigabytes(&total)),
        after(&read("/etc/os-release"), "PRETTY_NAME", '=').map(|name| name.trim_matches('"').to_owned()),
        engine.map(|version| format!("WebKitGTK {}", version.trim())),
        read("/proc/loadavg").split(' ').next().filter(|load| !load.is_empty()).map(|load| format!("load {load}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The value of the first line whose key is `key`.
fn after(text: &str, key: &str, separator: char) -> Option<String> {
    let value = text.lines().find_map(|line| {
        let (found, value) = line.split_once(separator)?;
        (found.trim() == key).then(|| value.trim().to_owned())
    });
    value.filter(|value| !value.is_empty())
}

/// `16384256 kB` (proc(5), which means KiB) as `16 GB`.
fn in_gigabytes(total: &str) -> Option<String> {
    let kibibytes: u64 = total.strip_suffix(" kB")?.parse().ok()?;
    Some(format!("{} GB", (kibibytes + (1 << 19)) >> 20))
}

#[cfg(test)]
mod tests {
    use super::{after, in_gigabytes};

    #[test]
    fn what_the_system_says_of_itself_is_read() {
        let text = "processor\t: 0\nmodel name\t: Some CPU @ 2.0GHz\nmodel name\t: Another\n";
        assert_eq!(after(text, "model name", ':').as_deref(), Some("Some CPU @ 2.0GHz"));
        assert_eq!(after(text, "flags", ':'), None);
        assert_eq!(in_gigabytes("16384256 kB").as_deref(), Some("16 GB"));
    }
}
