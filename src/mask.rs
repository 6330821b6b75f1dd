//! The job's tokens in what the program prints: replaced, whatever brought them there. Pure, but for passing on.
//!
//! Nothing prints a token on purpose; this is the net below. Actions' own `::add-mask::` would first have to be told
//! the token in the log.

use std::io::{self, Write};

use crate::secret::Secret;
use crate::variables::Variables;

/// Where CI systems and people put tokens.
const NAMES: [&str; 5] = ["HYDRATOR_TOKEN", "GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN"];

/// The tokens that must not be seen.
#[derive(Clone, Debug, Default)]
pub struct Mask(Vec<Secret>);

impl Mask {
    /// The tokens among the variables.
    pub fn of(variables: &Variables) -> Self {
        Self(NAMES.iter().filter_map(|name| variables.get(name)).map(Secret::new).collect())
    }

    /// The text without them.
    pub fn apply(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| secret.redact(&text))
    }
}

/// Passes lines on without the tokens.
pub struct Masked<W: Write> {
    inner: W,
    mask: Mask,
    line: Vec<u8>,
}

impl<W: Write> Masked<W> {
    /// Everything goes to `inner`.
    pub const fn new(inner: W, mask: Mask) -> Self {
        Self { inner, mask, line: Vec::new() }
    }

    /// Whole lines; a token has no line feed in it.
    fn pass(&mut self, end: usize) -> io::Result<()> {
        let rest = self.line.split_off(end);
        let lines = std::mem::replace(&mut self.line, rest);
        // What is not UTF-8 is no text of ours; a token is ASCII, and the replacement leaves that alone.
        match self.inner.write_all(self.mask.apply(&String::from_utf8_lossy(&lines)).as_bytes()) {
            // A reader that went away, such as `head`, is no failure of ours: the work is done all the same.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }
}

impl<W: Write> Write for Masked<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        if let Some(last) = self.line.iter().rposition(|byte| *byte == b'\n') {
            self.pass(last + 1)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass(self.line.len())?;
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that went away.
    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure() {
        let mut masked = Masked::new(Gone, Mask::default());
        masked.write_all(b"one\ntwo\n").unwrap();
        masked.flush().unwrap();
    }

    #[test]
    fn tokens_are_replaced_also_where_writes_cut_them() {
        let variables = [("HYDRATOR_TOKEN", "secret-one"), ("CI_JOB_TOKEN", "secret-two"), ("HOME", "/root")];
        let variables = Variables::new(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let mut out = Vec::new();
        let mut masked = Masked::new(&mut out, Mask::of(&variables));
        for part in ["a sec", "ret-one b\n/root ", "secret-t", "wo"] {
            masked.write_all(part.as_bytes()).unwrap();
        }
        masked.flush().unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "a *** b\n/root ***");
    }
}
