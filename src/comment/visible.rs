//! The lines of a comment that are said: not code, not quoted, not hidden in HTML. Pure.
//!
//! Markdown is understood only as far as that goes, and in doubt a line is not said.
//! <https://spec.commonmark.org/0.31.2/#leaf-blocks>

/// What the lines are part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    Text,
    /// Up to a blank line: a line without `>` goes on in the quote.
    Quote,
    /// Up to a fence of this character that is at least as long.
    Fence(char, usize),
    /// Up to a line with one of these.
    Until(&'static [&'static str]),
    /// Up to a blank line.
    Html,
}

/// Elements that show what is in them as it is, or not at all.
const RAW: [&str; 4] = ["pre", "script", "style", "textarea"];

/// The lines that are said, in order, each with its indentation.
pub(super) fn lines(body: &str) -> Vec<&str> {
    let (mut said, mut paragraph) = (Vec::new(), Vec::new());
    let mut block = Block::Text;
    for line in body.lines() {
        let next = after(block, line);
        if (block, next) == (Block::Text, Block::Text) && !line.trim().is_empty() {
            paragraph.push(line);
        } else {
            said.append(&mut shown(&paragraph));
            paragraph.clear();
        }
        block = next;
    }
    said.append(&mut shown(&paragraph));
    said
}

/// What comes after a line, given what it stands in.
fn after(block: Block, line: &str) -> Block {
    match block {
        Block::Fence(sign, length) => match fence(line) {
            Some((other, longer, "")) if other == sign && longer >= length => Block::Text,
            _ => block,
        },
        Block::Until(ends) => {
            if has_any(line, ends) {
                Block::Text
            } else {
                block
            }
        }
        Block::Html if !line.trim().is_empty() => block,
        Block::Quote if !line.trim().is_empty() => {
            Some(opened(line)).filter(|next| *next != Block::Text).unwrap_or(block)
        }
        _ => opened(line),
    }
}

/// What a line opens.
fn opened(line: &str) -> Block {
    if let Some((sign, length, info)) = fence(line)
        && !(sign == '`' && info.contains('`'))
    {
        return Block::Fence(sign, length);
    }
    let Some(text) = unindented(line) else { return Block::Text };
    if text.starts_with('>') {
        return Block::Quote;
    }
    if let Some(comment) = text.strip_prefix("<!--") {
        return if comment.contains("-->") { Block::Text } else { Block::Until(&["-->"]) };
    }
    match tag(text) {
        Some(name) if RAW.contains(&name.as_str()) => {
            let ends = &["</pre>", "</script>", "</style>", "</textarea>"];
            if has_any(line, ends) { Block::Text } else { Block::Until(ends) }
        }
        Some(_) => Block::Html,
        None => Block::Text,
    }
}

fn has_any(line: &str, ends: &[&str]) -> bool {
    let line = line.to_lowercase();
    ends.iter().any(|end| line.contains(end))
}

/// A line with at most three blanks before it, without them; more make code of it.
fn unindented(line: &str) -> Option<&str> {
    let text = line.trim_start_matches(' ');
    (line.len() - text.len() <= 3 && !text.starts_with('\t')).then_some(text)
}

/// The sign of a fence, its length, and what follows.
fn fence(line: &str) -> Option<(char, usize, &str)> {
    let text = unindented(line)?;
    let sign = text.chars().next().filter(|sign| ['`', '~'].contains(sign))?;
    let rest = text.trim_start_matches(sign);
    let length = text.len() - rest.len();
    (length >= 3).then_some((sign, length, rest.trim()))
}

/// The name of the HTML tag that a line begins with.
fn tag(text: &str) -> Option<String> {
    let text = text.strip_prefix('<')?;
    let text = text.strip_prefix('/').unwrap_or(text);
    let name: String = text.chars().take_while(|sign| sign.is_ascii_alphanumeric() || *sign == '-').collect();
    let ends =
        text[name.len()..].chars().next().is_none_or(|sign| sign.is_whitespace() || "/>".contains(sign));
    (name.starts_with(|sign: char| sign.is_ascii_alphabetic()) && ends).then(|| name.to_lowercase())
}

/// The lines of a paragraph that do not begin within code or HTML.
fn shown<'a>(paragraph: &[&'a str]) -> Vec<&'a str> {
    let text = paragraph.join("\n");
    // A definition is not shown at all.
    if text.trim_start().starts_with('[') && text.contains("]:") {
        return Vec::new();
    }
    let hidden = spans(&text);
    let mut start = 0;
    let mut found = Vec::new();
    for line in paragraph {
        if !hidden.iter().any(|(from, to)| (*from..*to).contains(&start)) {
            found.push(*line);
        }
        start += line.len() + 1;
    }
    found
}

/// Where code, tags and comments of HTML begin and end.
fn spans(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = text[at..].find(['`', '<']) {
        let from = at + offset;
        let rest = &text[from..];
        let opening =
            if rest.starts_with("<!--") { 4 } else { rest.len() - rest.trim_start_matches('`').len() };
        let end = if rest.starts_with("<!--") {
            rest[opening..].find("-->").map(|end| opening + end + 3)
        } else if opening > 0 {
            closing(&rest[opening..], opening).map(|end| opening + end)
        } else if tag(rest).is_some() {
            rest.find('>').map(|end| end + 1)
        } else {
            None
        };
        if let Some(end) = end {
            found.push((from, from + end));
        }
        at = from + end.unwrap_or(opening.max(1));
    }
    found
}

/// Where a run of exactly so many backticks ends.
fn closing(text: &str, length: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(offset) = text[at..].find('`') {
        let from = at + offset;
        let rest = &text[from..];
        let run = rest.len() - rest.trim_start_matches('`').len();
        if run == length {
            return Some(from + run);
        }
        at = from + run;
    }
    None
}
