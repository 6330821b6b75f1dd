//! A chart repository on loopback: files made by helm itself behind a few lines of HTTP.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use camino::{Utf8Path, Utf8PathBuf};

use super::bench::{Tree, output_of};

/// A running repository.
pub(super) struct Repository {
    /// Its URL.
    pub(super) url: String,
    requests: Arc<Mutex<Vec<String>>>,
    _directory: tempfile::TempDir,
}

impl Repository {
    /// Serves the charts in `charts`, each in a directory of its own name.
    pub(super) fn serve(charts: &Tree, names: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(directory.path()).unwrap().to_owned();
        charts.write(&root.join("sources"));
        for name in names {
            output_of("helm", &["package", &format!("sources/{name}"), "-d", "packages"], &root);
        }
        output_of("helm", &["repo", "index", "packages"], &root);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        // The thread lives as long as the test binary; it only waits for connections.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(&stream, &root.join("packages"), &seen);
            }
        });
        Self { url, requests, _directory: directory }
    }

    /// The paths that were asked for, sorted.
    pub(super) fn requests(&self) -> Vec<String> {
        let mut requests = self.requests.lock().unwrap().clone();
        requests.sort();
        requests
    }
}

fn answer(stream: &TcpStream, root: &Utf8Path, seen: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let Some(path) = lines.next().and_then(|line| Some(line.split(' ').nth(1)?.to_owned())) else { return };
    lines.find(String::is_empty);
    seen.lock().unwrap().push(path.clone());
    let file: Utf8PathBuf = root.join(path.trim_start_matches('/'));
    let (status, body) = std::fs::read(file).map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let mut stream = stream;
    // A client that goes away early is its own affair.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}
