//! Archives as they are released, a server that hands them out, and the installer beside a table that pins them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::project;
use crate::support::command::{Outcome, Run, write_script};

/// What the server says to a path.
#[derive(Clone)]
pub(super) enum Said {
    Bytes(Vec<u8>),
    /// To this address.
    Redirect(String),
}

type Paths = Arc<Mutex<BTreeMap<String, Said>>>;

/// Files over plain HTTP on this machine.
pub(super) struct Files {
    address: String,
    paths: Paths,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Files {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let address = format!("http://127.0.0.1:{}", listener.local_addr().expect("it is bound").port());
        let (paths, asked) = (Paths::default(), Arc::<Mutex<Vec<String>>>::default());
        let (known, heard) = (Arc::clone(&paths), Arc::clone(&asked));
        // It ends with the process; nobody waits for it.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away is no failure of the server.
                let _ = answer(&stream, &known, &heard);
            }
        });
        Self { address, paths, asked }
    }

    pub(super) fn say(&self, path: &str, said: Said) {
        lock(&self.paths).insert(path.to_owned(), said);
    }

    pub(super) fn forget(&self, path: &str) {
        lock(&self.paths).remove(path);
    }

    /// The paths that were asked for since the last time.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.asked))
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(mut stream: &TcpStream, paths: &Paths, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    lock(asked).push(path.clone());
    let said = lock(paths).get(&path).cloned();
    let (head, body) = match said {
        None => ("404 Not Found".to_owned(), Vec::new()),
        Some(Said::Redirect(to)) => (format!("302 Found\r\nLocation: {to}"), Vec::new()),
        Some(Said::Bytes(bytes)) => ("200 OK".to_owned(), bytes),
    };
    write!(stream, "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    stream.write_all(&body)
}

/// A directory with the installer, whose table pins a release that a server of this machine hands out.
pub(super) struct Release {
    root: tempfile::TempDir,
    pub(super) files: Files,
}

/// The version that is released.
pub(super) const VERSION: &str = "v1.2.3";

impl Release {
    pub(super) fn new() -> Self {
        Self::of("echo \"hydrator of the archive: $*\"")
    }

    /// One whose hydrator is this shell script.
    pub(super) fn of(program: &str) -> Self {
        let root = tempfile::tempdir().expect("a directory can be made");
        let scripts = root.path().join("scripts");
        std::fs::create_dir_all(&scripts).unwrap();
        std::fs::copy(project("scripts/install.sh"), scripts.join("install.sh")).unwrap();
        let release = Self { root, files: Files::start() };
        release.publish(program);
        release
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// The archive's name on this machine.
    pub(super) fn archive() -> String {
        format!("hydrator-{VERSION}-linux-{}.tar.gz", std::env::consts::ARCH)
    }

    /// Makes the archive, pins it with the release's own script, and hands it out.
    fn publish(&self, program: &str) {
        let name = format!("hydrator-{VERSION}-linux-{}", std::env::consts::ARCH);
        write_script(&self.path(&format!("{name}/hydrator")), program);
        let archive = Self::archive();
        let script = format!("tar -czf {archive} {name} && sha256sum {archive} >SUMS");
        self.shell(&script);
        let pin = Run::program(project("scripts/release/table.sh"), self.root.path())
            .variable("INSTALL_SCRIPT", self.path("scripts/install.sh").to_str().unwrap())
            .arguments([VERSION, self.path("SUMS").to_str().unwrap(), self.files.address()]);
        _ = pin.run().success();
        let bytes = std::fs::read(self.path(&archive)).unwrap();
        self.files.say(&format!("/{archive}"), Said::Bytes(bytes));
    }

    fn shell(&self, script: &str) {
        let run = Run::program("/bin/sh", self.root.path()).directory(self.root.path());
        _ = run.arguments(["-ec", script]).run().success();
    }

    /// The installer, as a job on a machine of GitHub starts it.
    pub(super) fn installer(&self) -> Run {
        Run::program("/bin/sh", &self.path("home"))
            .directory(self.root.path())
            .arguments([self.path("scripts/install.sh")])
            .variable("RUNNER_TEMP", self.path("temporary").to_str().unwrap())
            .variable("RUNNER_TOOL_CACHE", self.path("cache").to_str().unwrap())
    }

    /// Whether anything was installed.
    pub(super) fn has_program(&self) -> bool {
        self.path("temporary/hydrator/bin/hydrator").exists()
    }

    /// The kept archive, where one is kept.
    pub(super) fn kept(&self) -> Option<PathBuf> {
        let found = std::fs::read_dir(self.path("cache/hydrator")).ok()?;
        let mut found = found.map(|entry| entry.expect("it can be read").path());
        let first = found.next();
        assert!(found.next().is_none(), "more than one file is kept");
        first
    }
}

/// A path of programs that holds the system's, but for some.
pub(super) fn path_without(place: &Path, left_out: &[&str]) -> String {
    std::fs::create_dir_all(place).unwrap();
    let system = std::env::var("PATH").unwrap_or_default();
    for directory in system.split(':') {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if !left_out.iter().any(|out| name == *out) {
                // The first one of a name counts.
                let _ = std::os::unix::fs::symlink(entry.path(), place.join(name));
            }
        }
    }
    place.display().to_string()
}

/// That it failed, and said this.
pub(super) fn refused(outcome: &Outcome, wanted: &str) {
    assert_eq!((outcome.exit_code(), outcome.stdout()), (Some(1), ""), "{}", outcome.stderr());
    assert!(outcome.stderr().contains(wanted), "no `{wanted}` in\n{}", outcome.stderr());
    assert!(outcome.stderr().contains("\nhint: ") || outcome.stderr().starts_with("hint: "));
}
