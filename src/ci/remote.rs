//! What a remote's URL says, whichever forge it leads to. Pure.

use crate::secret::without_userinfo;

/// The host of a remote in any of its forms, in lower case, with a port where it has one.
pub(super) fn host_of(url: &str) -> Option<String> {
    let url = without_userinfo(url);
    let host = match url.split_once("://") {
        Some(("file", _)) => return None,
        Some((scheme, rest)) => {
            let authority = rest.split('/').next()?;
            let is_http = scheme.starts_with("http");
            if is_http { authority } else { authority.split(':').next()? }.to_owned()
        }
        None => {
            let (host, _) = url.split_once(':').filter(|(host, _)| !host.contains('/'))?;
            host.rsplit_once('@').map_or(host, |(_, host)| host).to_owned()
        }
    };
    Some(host.to_lowercase()).filter(|host| !host.is_empty())
}

/// The path of a remote, such as `owner/name`, without `.git`.
pub(super) fn path_of(url: &str) -> Option<String> {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => url.split_once(':')?.1,
    };
    Some(path.trim_matches('/').trim_end_matches(".git").to_owned())
}
