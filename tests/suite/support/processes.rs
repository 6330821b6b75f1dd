//! The processes that belong to a test.

use std::path::{Path, PathBuf};

/// The directories below `/proc` of the processes whose environment names the test's directory, without zombies.
pub(crate) fn processes_of(root: &Path) -> Vec<PathBuf> {
    let marker = root.to_str().expect("it is UTF-8").as_bytes();
    let is_ours = |directory: &PathBuf| {
        // A process may end at any moment.
        let environment = std::fs::read(directory.join("environ")).unwrap_or_default();
        environment.windows(marker.len()).any(|window| window == marker)
    };
    let entries = std::fs::read_dir("/proc").expect("there is /proc");
    entries.flatten().map(|entry| entry.path()).filter(is_ours).collect()
}

mod tests {
    use super::*;
    use crate::support::command::Run;

    #[test]
    fn finds_a_process_as_long_as_it_runs() {
        let home = tempfile::tempdir().unwrap();
        let running = Run::program("/bin/sh", home.path()).arguments(["-c", "kill -STOP $$"]).start();
        assert_eq!(processes_of(home.path()).len(), 1);
        running.signal(rustix::process::Signal::KILL);
        _ = running.wait().killed();
        assert_eq!(processes_of(home.path()), Vec::<PathBuf>::new());
    }
}
