//! Filters that manifests need and the engine lacks: `toyaml`, `tojson`, `b64encode`, `b64decode`, `quote`, `required`. Pure.

use minijinja::{Environment, Error, State, Value};

use super::error::refuse;
use super::yaml;

/// Adds the filters, each under its usual names.
pub(super) fn add(environment: &mut Environment<'static>) {
    for name in ["toyaml", "to_yaml"] {
        environment.add_filter(name, |state: &State<'_, '_>, value: &Value| yaml::block(state, value));
    }
    for name in ["tojson", "to_json"] {
        environment.add_filter(name, |state: &State<'_, '_>, value: &Value| yaml::json(state, value));
    }
    environment.add_filter("quote", |state: &State<'_, '_>, value: &Value| {
        yaml::json(state, &Value::from(value.to_string()))
    });
    for name in ["b64encode", "b64enc"] {
        environment.add_filter(name, |text: &str| base64_encode(text.as_bytes()));
    }
    for name in ["b64decode", "b64dec"] {
        environment.add_filter(name, |text: &str| base64_decode(text));
    }
    environment.add_filter("required", required);
}

/// The value, or an error with the template's own message when it is undefined, null or empty.
fn required(value: Value, message: Option<&str>) -> Result<Value, Error> {
    let missing = value.is_undefined() || value.is_none() || value.as_str() == Some("");
    if missing {
        return Err(refuse(message.unwrap_or("a required value is missing")));
    }
    Ok(value)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Source: RFC 4648, section 4.
fn base64_encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for position in 0..4 {
            let sextet = (bits >> (18 - 6 * position)) & 63;
            let digit =
                usize::try_from(sextet).ok().and_then(|index| ALPHABET.get(index)).copied().unwrap_or(b'=');
            text.push(if position <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

fn base64_decode(text: &str) -> Result<String, Error> {
    let wrong = || refuse("`b64decode` of something that is not base64 of UTF-8 text");
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let body = digits.strip_suffix(b"==").or_else(|| digits.strip_suffix(b"=")).unwrap_or(&digits);
    if !digits.len().is_multiple_of(4) || body.len() % 4 == 1 {
        return Err(wrong());
    }
    let mut bytes = Vec::with_capacity(body.len() / 4 * 3 + 3);
    for chunk in body.chunks(4) {
        let mut bits = 0_u32;
        for position in 0..4 {
            let value = match chunk.get(position) {
                Some(digit) => ALPHABET.iter().position(|known| known == digit).ok_or_else(wrong)?,
                None => 0,
            };
            bits = bits << 6 | u32::try_from(value).map_err(|_| wrong())?;
        }
        bytes.extend_from_slice(&bits.to_be_bytes()[1..chunk.len()]);
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::{base64_decode, base64_encode};

    #[test]
    fn base64_as_the_rfc_has_it() {
        let pairs = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
            ("ü~", "w7x+"),
        ];
        for (plain, encoded) in pairs {
            assert_eq!(base64_encode(plain.as_bytes()), encoded);
            assert_eq!(base64_decode(encoded).unwrap(), plain);
        }
        for bad in ["Zg=", "Zg", "Z", "Zg==Zg==", "Z!==", "/w=="] {
            assert!(base64_decode(bad).is_err(), "{bad}");
        }
    }
}
