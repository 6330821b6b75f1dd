//! How the demo is laid out: chapters, paragraphs, indented blocks, differences. Writes to what it is given.

use std::io::Write;

use anyhow::Result;
use similar::TextDiff;

/// Where a line of text is broken.
const WIDTH: usize = 96;
/// Before everything that is no heading.
const INDENT: &str = "   ";

/// What the demo is written on.
pub(super) struct Page<'a> {
    out: &'a mut dyn Write,
    colour: bool,
    chapters: usize,
    after_block: bool,
}

impl<'a> Page<'a> {
    /// An empty page.
    pub(super) fn new(out: &'a mut dyn Write, colour: bool) -> Self {
        Self { out, colour, chapters: 0, after_block: false }
    }

    /// Whether it can show colours.
    pub(super) const fn colour(&self) -> bool {
        self.colour
    }

    /// The first line.
    pub(super) fn title(&mut self, text: &str) -> Result<()> {
        let text = self.painted("1", text);
        Ok(writeln!(self.out, "{text}")?)
    }

    /// A new chapter with its number.
    pub(super) fn chapter(&mut self, heading: &str) -> Result<()> {
        self.chapters += 1;
        self.after_block = false;
        let heading = self.painted("1", &format!("{}. {heading}", self.chapters));
        Ok(writeln!(self.out, "\n{heading}")?)
    }

    /// A paragraph.
    pub(super) fn text(&mut self, text: &str) -> Result<()> {
        if std::mem::take(&mut self.after_block) {
            writeln!(self.out)?;
        }
        for line in wrapped(text, WIDTH - INDENT.len()) {
            writeln!(self.out, "{INDENT}{line}")?;
        }
        Ok(self.out.flush()?)
    }

    /// Lines as they are, set apart.
    pub(super) fn block<S: AsRef<str>>(&mut self, lines: impl IntoIterator<Item = S>) -> Result<()> {
        writeln!(self.out)?;
        for line in lines {
            let line = format!("{INDENT}  {}", line.as_ref());
            writeln!(self.out, "{}", line.trim_end())?;
        }
        self.after_block = true;
        Ok(self.out.flush()?)
    }

    /// What differs between two states of a file, as a unified diff; each state has a name and a text.
    pub(super) fn difference(&mut self, before: (&str, &str), after: (&str, &str)) -> Result<()> {
        let diff = TextDiff::from_lines(before.1, after.1);
        let text = diff.unified_diff().context_radius(3).header(before.0, after.0).to_string();
        let lines: Vec<String> = text.lines().map(|line| self.painted(difference_code(line), line)).collect();
        self.block(lines)
    }

    fn painted(&self, code: &str, text: &str) -> String {
        if self.colour && !code.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

fn difference_code(line: &str) -> &'static str {
    match line.as_bytes() {
        [b'-', b'-', b'-', ..] | [b'+', b'+', b'+', ..] => "1",
        [b'@', ..] => "36",
        [b'-', ..] => "31",
        [b'+', ..] => "32",
        _ => "",
    }
}

/// The words of a text in lines of at most `width` characters.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(colour: bool, write: impl FnOnce(&mut Page<'_>) -> Result<()>) -> String {
        let mut bytes = Vec::new();
        write(&mut Page::new(&mut bytes, colour)).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn text_is_wrapped_and_blocks_are_not() {
        assert_eq!(wrapped("a bb  ccc\ndddd eeeeeeeeee", 6), ["a bb", "ccc", "dddd", "eeeeeeeeee"]);
        let page = written(false, |page| {
            page.title("Title")?;
            page.chapter("One")?;
            page.text("Some text.")?;
            page.block(["a  b", "", "c"])?;
            page.text("More.")?;
            page.block(["d"])?;
            page.chapter("Two")
        });
        let wanted =
            "Title\n\n1. One\n   Some text.\n\n     a  b\n\n     c\n\n   More.\n\n     d\n\n2. Two\n";
        assert_eq!(page, wanted);
    }

    #[test]
    fn differences_are_marked_and_on_demand_coloured() {
        let difference =
            |page: &mut Page<'_>| page.difference(("old", "a\nb\nc\nd\n"), ("new", "a\nb\nc\nD\n"));
        let wanted = [
            "\n     --- old",
            "     +++ new",
            "     @@ -1,4 +1,4 @@",
            "      a",
            "      b",
            "      c",
            "     -d",
            "     +D\n",
        ];
        assert_eq!(written(false, difference), wanted.join("\n"));
        let coloured = written(true, difference);
        assert!(coloured.contains("\u{1b}[31m-d\u{1b}[0m") && coloured.contains("\u{1b}[32m+D\u{1b}[0m"));
    }
}
