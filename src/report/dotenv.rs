//! Outputs of a run as variables of later jobs. Pure.
//!
//! Source: GitLab's documentation of dotenv reports: names of letters, digits and `_`, values of one line, 5 KB in all.

/// All lines together, in bytes.
const ROOM: usize = 5_000;

/// The lines of the file, and the names of those that there was no room for. The names do not start with `HYDRATOR_`:
/// those are options of a later run.
pub fn text<'a>(outputs: &[(&'a str, String)]) -> (String, Vec<&'a str>) {
    let (mut text, mut left_out) = (String::new(), Vec::new());
    // The longest go last, so that they leave no others out.
    let mut sorted: Vec<&(&str, String)> = outputs.iter().collect();
    sorted.sort_by_key(|(name, value)| (value.len(), *name));
    for (name, value) in sorted {
        let key = name.replace('-', "_").to_uppercase();
        let line = format!("HYDRATED_{key}={value}\n");
        if text.len() + line.len() > ROOM || value.contains(['\n', '\r']) {
            left_out.push(*name);
        } else {
            text.push_str(&line);
        }
    }
    (text, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_have_names_of_their_own_and_fit() {
        let outputs = [
            ("pull-requests", "x".repeat(6_000)),
            ("changed", "true".to_owned()),
            ("environments", "[\"dev\"]".to_owned()),
        ];
        let (text, left_out) = text(&outputs);
        assert_eq!(text, "HYDRATED_CHANGED=true\nHYDRATED_ENVIRONMENTS=[\"dev\"]\n");
        assert_eq!(left_out, ["pull-requests"]);
    }
}
