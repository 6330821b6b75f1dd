//! One exchange over HTTP: certificates, proxies, limits of time and size. Does I/O; the only file that knows the HTTP crate.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use ureq::http;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::{Answer, Request};
use crate::error::Failure;
use crate::escape::{cut, one_line};
use crate::secret::Secret;
use crate::variables::Variables;

/// Far more than a page of a hundred pull requests with the longest bodies.
const LONGEST_ANSWER: u64 = 64 * 1024 * 1024;
/// How much of an answer that is no JSON is shown.
const SHOWN: usize = 200;

/// Where systems keep the certificates that they trust.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// Variables that name a bundle, as other programs read them.
const BUNDLE_VARIABLES: &[&str] = &["SSL_CERT_FILE", "GIT_SSL_CAINFO", "CURL_CA_BUNDLE"];
/// What a job of GitLab CI gets where the runner trusts its server by a file of its own. Source: GitLab's documentation of
/// predefined variables.
const RUNNERS_BUNDLE: &str = "CI_SERVER_TLS_CA_FILE";

/// The HTTP client.
pub(super) struct Agent(ureq::Agent);

/// An exchange without an answer.
pub(super) struct Lost {
    /// Why.
    pub(super) words: String,
    /// Whether the request surely did not reach the server.
    pub(super) unsent: bool,
    /// Whether it will be the same the next time.
    pub(super) endless: bool,
}

impl Agent {
    pub(super) fn new(variables: &Variables, url: &str, time_limit: Duration) -> Result<Self, Failure> {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("hydrator/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(time_limit))
            .timeout_connect(Some(time_limit.min(Duration::from_secs(20))))
            // Rendering takes a while, and servers close what is idle.
            .max_idle_age(Duration::from_secs(4))
            .proxy(proxy(variables, url)?)
            .tls_config(TlsConfig::builder().root_certs(roots(variables, url)?).build());
        Ok(Self(config.build().into()))
    }

    pub(super) fn exchange(&self, request: &Request, headers: &[(&str, Secret)]) -> Result<Answer, Lost> {
        let mut builder = http::Request::builder().method(request.method.word()).uri(&request.url);
        for (name, value) in headers {
            builder = builder.header(*name, value.reveal());
        }
        let answered = match &request.body {
            None => builder.body(()).map_err(ureq::Error::Http).and_then(|request| self.0.run(request)),
            Some(body) => builder
                .header("content-type", "application/json")
                .body(body.to_string().into_bytes())
                .map_err(ureq::Error::Http)
                .and_then(|request| self.0.run(request)),
        };
        let mut response = answered.map_err(|error| lost(&error, true))?;
        let bytes = response.body_mut().with_config().limit(LONGEST_ANSWER).read_to_vec();
        let bytes = bytes.map_err(|error| lost(&error, false))?;
        let mut answer = Answer { status: response.status().as_u16(), ..Answer::default() };
        for (name, value) in response.headers() {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            answer.headers.insert(name.as_str().to_lowercase(), value);
        }
        match serde_json::from_slice(&bytes) {
            Ok(body) => answer.body = body,
            Err(_) if bytes.iter().all(u8::is_ascii_whitespace) => answer.body = Value::Null,
            Err(_) => answer.text = Some(cut(&one_line(&String::from_utf8_lossy(&bytes)), SHOWN)),
        }
        Ok(answer)
    }
}

fn lost(error: &ureq::Error, before_answer: bool) -> Lost {
    use std::io::ErrorKind::ConnectionRefused;
    let never_reached = matches!(
        error,
        ureq::Error::HostNotFound
            | ureq::Error::ConnectionFailed
            | ureq::Error::Rustls(_)
            | ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve)
    ) || matches!(error, ureq::Error::Io(error) if error.kind() == ConnectionRefused);
    let endless = matches!(
        error,
        ureq::Error::Http(_)
            | ureq::Error::BadUri(_)
            | ureq::Error::BodyExceedsLimit(_)
            | ureq::Error::InvalidProxyUrl
            | ureq::Error::Rustls(_)
    );
    let what = if before_answer { "no answer came" } else { "the answer broke off" };
    Lost { words: format!("{what}: {error}"), unsent: before_answer && never_reached, endless }
}

/// The proxy for this URL, by the usual variables.
fn proxy(variables: &Variables, url: &str) -> Result<Option<ureq::Proxy>, Failure> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let host = rest.split('/').next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    // Upper-case HTTP_PROXY is left alone: a server that runs CGI programs sets it from a header.
    let names: &[&str] = if scheme == "http" { &["http_proxy"] } else { &["https_proxy", "HTTPS_PROXY"] };
    let found =
        names.iter().chain(&["all_proxy", "ALL_PROXY"]).find_map(|name| Some((*name, variables.get(name)?)));
    let Some((name, value)) = found else { return Ok(None) };
    let excepted = variables.get("no_proxy").or_else(|| variables.get("NO_PROXY")).unwrap_or_default();
    if is_excepted(host, excepted) {
        return Ok(None);
    }
    ureq::Proxy::new(value).map(Some).map_err(|_| {
        Failure::usage(format!("the variable `{name}` holds no proxy's URL"))
            .hint("write it as `http://proxy.example.com:8080`; `socks` is not supported")
    })
}

/// As curl reads `no_proxy`: names with everything below them, and `*` for all.
fn is_excepted(host: &str, excepted: &str) -> bool {
    let name = |host: &str| host.rsplit_once(':').map_or(host, |(name, _)| name).to_lowercase();
    let name = name(host);
    excepted.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.trim_start_matches("*.").trim_start_matches('.').to_lowercase();
        entry == "*" || entry == name || entry == host || name.ends_with(&format!(".{entry}"))
    })
}

/// The certificates that are trusted: the ones that a variable names, else those that GitLab's runner has for its server,
/// else the system's, else the built-in ones.
fn roots(variables: &Variables, url: &str) -> Result<RootCerts, Failure> {
    let api = variables.get("CI_API_V4_URL").map(|api| api.trim_end_matches('/'));
    let is_runners = api.is_some_and(|api| url.starts_with(api));
    let runners = || Some((RUNNERS_BUNDLE, variables.get(RUNNERS_BUNDLE).filter(|_| is_runners)?));
    let mut bundles = BUNDLE_VARIABLES.iter();
    let named = bundles.find_map(|name| Some((*name, variables.get(name)?))).or_else(runners);
    if let Some((name, path)) = named {
        let found = certificates(Utf8Path::new(path)).map_err(|error| {
            Failure::usage(format!("cannot read the certificates that `{name}` names, `{path}`: {error}"))
                .hint("name a file with certificates in PEM form, or unset the variable")
        })?;
        return Ok(RootCerts::from(found));
    }
    if let Some(directory) = variables.get("SSL_CERT_DIR") {
        let entries = Utf8Path::new(directory).read_dir_utf8().into_iter().flatten().flatten();
        let mut paths: Vec<Utf8PathBuf> = entries.map(|entry| entry.path().to_owned()).collect();
        paths.sort();
        let found: Vec<_> = paths.iter().filter_map(|path| certificates(path).ok()).flatten().collect();
        if !found.is_empty() {
            return Ok(RootCerts::from(found));
        }
    }
    let system = BUNDLES.iter().find_map(|path| certificates(Utf8Path::new(path)).ok());
    Ok(system.map_or(RootCerts::WebPki, RootCerts::from))
}

fn certificates(path: &Utf8Path) -> Result<Vec<Certificate<'static>>, String> {
    let text = std::fs::read(path).map_err(|error| error.to_string())?;
    let found = parse_pem(&text).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    let found: Vec<_> = found.collect();
    if found.is_empty() { Err("it holds no certificate".to_owned()) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        Variables::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn proxies_are_those_of_the_usual_variables() {
        let all = variables(&[
            ("https_proxy", "http://p.example.com:1"),
            ("HTTP_PROXY", "http://q.example.com:2"),
            ("no_proxy", "corp.example.com, .internal"),
        ]);
        let of = |url: &str| proxy(&all, url).unwrap().map(|proxy| proxy.port());
        assert_eq!(of("https://api.github.com"), Some(1));
        assert_eq!(of("http://api.github.com"), None);
        assert_eq!(of("https://ghe.corp.example.com/api/v3"), None);
        assert_eq!(of("https://git.internal:8443/api"), None);
        assert_eq!(of("https://notcorp.example.com"), Some(1));
        assert!(proxy(&variables(&[("ALL_PROXY", "::")]), "https://a").is_err());
    }

    #[test]
    fn a_named_bundle_must_be_one() {
        let refused =
            |pairs: &[(&str, &str)], url: &str| roots(&variables(pairs), url).err().map(|it| it.message);
        let said = refused(&[("SSL_CERT_FILE", "/nonexistent")], "https://e.org").unwrap();
        assert!(said.contains("SSL_CERT_FILE"), "{said}");
        assert_eq!(refused(&[], "https://e.org"), None);
        // A runner's is for its own server.
        let job = [("CI_SERVER_TLS_CA_FILE", "/nonexistent"), ("CI_API_V4_URL", "https://g.e/git/api/v4/")];
        let said = refused(&job, "https://g.e/git/api/v4").unwrap();
        assert!(said.contains("CI_SERVER_TLS_CA_FILE"), "{said}");
        assert_eq!(refused(&job, "https://gitlab.com/api/v4"), None);
    }
}
