//! Text to nodes: YAML events become a tree, within limits that a hostile file cannot exceed. Pure.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::node::{Node, NodeKind, Style};

/// More is no configuration that a person keeps.
const MAX_BYTES: usize = 4 << 20;
/// Nesting beyond this is an attack on the stack; our deepest key is at level 6, `values` may go deeper.
const MAX_DEPTH: usize = 64;
/// Size of the whole tree as [`Size::cost`] counts it, what aliases stand for counted each time.
const MAX_COST: usize = 400_000;
/// So many bytes of text cost as much as a node.
const BYTES_PER_NODE: usize = 64;

/// Why there is no tree: the first problem of the syntax.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) message: String,
}

impl SyntaxError {
    fn new(line: usize, column: usize, message: impl Into<String>) -> Self {
        Self { line, column, message: message.into() }
    }

    fn at(span: Span, message: impl Into<String>) -> Self {
        Self::new(span.start.line(), span.start.col() + 1, message)
    }
}

/// Parses the one document of `bytes`.
pub(super) fn parse(bytes: &[u8]) -> Result<Node, SyntaxError> {
    if bytes.len() > MAX_BYTES {
        return Err(SyntaxError::new(0, 0, format!("the file is larger than {} MiB", MAX_BYTES >> 20)));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let mark = error.marker();
            SyntaxError::new(mark.line(), mark.col() + 1, error.info())
        })?;
        builder.take(event, span)?;
    }
    builder.document.ok_or_else(|| SyntaxError::new(1, 1, "the file is empty"))
}

fn not_utf8(bytes: &[u8], valid: usize) -> SyntaxError {
    let before = &bytes[..valid];
    let line = before.split(|byte| *byte == b'\n').count();
    SyntaxError::new(line, 0, "the file is not UTF-8")
}

/// A collection that is still open.
struct Open {
    node: Node,
    anchor: usize,
    key: Option<Node>,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: BTreeMap<usize, (Node, Size)>,
    cost: usize,
    documents: usize,
    document: Option<Node>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), SyntaxError> {
        match event {
            Event::DocumentStart(_) => self.start_document(span),
            Event::SequenceStart(anchor, tag) => {
                refuse_tag(tag.as_deref(), span)?;
                self.start(NodeKind::Sequence(Vec::new()), anchor, span)
            }
            Event::MappingStart(anchor, tag) => {
                refuse_tag(tag.as_deref(), span)?;
                self.start(NodeKind::Mapping(Vec::new()), anchor, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Scalar(text, style, anchor, tag) => {
                let style = scalar_style(style, tag.as_deref(), span)?;
                let blank = text.len() - text.trim_start_matches('\n').len();
                let mut scalar = node(span, NodeKind::Scalar { text: text.into_owned(), style });
                if style == Style::Literal {
                    // The parser's mark is at the first line that is not blank.
                    scalar.line = scalar.line.saturating_sub(blank).max(1);
                }
                self.pay(size(&scalar).cost, span)?;
                self.add(scalar, anchor, span)
            }
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn start_document(&mut self, span: Span) -> Result<(), SyntaxError> {
        self.documents += 1;
        if self.documents > 1 {
            return Err(SyntaxError::at(span, "a second document: the configuration is one document"));
        }
        Ok(())
    }

    fn start(&mut self, kind: NodeKind, anchor: usize, span: Span) -> Result<(), SyntaxError> {
        check_depth(self.open.len() + 1, span)?;
        self.pay(1, span)?;
        self.open.push(Open { node: node(span, kind), anchor, key: None });
        Ok(())
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), SyntaxError> {
        let Some((_, size)) = self.anchors.get(&anchor) else {
            return Err(SyntaxError::at(span, "an alias inside its own anchor"));
        };
        let size = *size;
        check_depth(self.open.len() + size.depth, span)?;
        self.pay(size.cost, span)?;
        match self.anchors.get(&anchor) {
            Some((target, _)) => self.add(target.clone(), 0, span),
            None => Ok(()),
        }
    }

    fn pay(&mut self, cost: usize, span: Span) -> Result<(), SyntaxError> {
        self.cost = self.cost.saturating_add(cost);
        if self.cost > MAX_COST {
            return Err(SyntaxError::at(span, "the file is too large, with what its aliases stand for"));
        }
        Ok(())
    }

    fn end(&mut self, span: Span) -> Result<(), SyntaxError> {
        match self.open.pop() {
            Some(done) => self.add(done.node, done.anchor, span),
            None => Ok(()),
        }
    }

    fn add(&mut self, node: Node, anchor: usize, span: Span) -> Result<(), SyntaxError> {
        if anchor > 0 {
            let size = size(&node);
            self.pay(size.cost, span)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.open.last_mut() {
            None => self.document = Some(node),
            Some(parent) => parent.add(node, span)?,
        }
        Ok(())
    }
}

impl Open {
    fn add(&mut self, node: Node, span: Span) -> Result<(), SyntaxError> {
        match &mut self.node.kind {
            NodeKind::Sequence(items) => items.push(node),
            NodeKind::Mapping(entries) => match self.key.take() {
                Some(key) => entries.push((key, node)),
                None => self.key = Some(checked_key(node, span)?),
            },
            NodeKind::Scalar { .. } => {}
        }
        Ok(())
    }
}

fn checked_key(key: Node, span: Span) -> Result<Node, SyntaxError> {
    match &key.kind {
        NodeKind::Scalar { text, style: Style::Plain } if text == "<<" => Err(SyntaxError::at(
            span,
            "merge keys (`<<`) are not supported: repeat the keys, or use an alias for a whole value",
        )),
        NodeKind::Scalar { .. } => Ok(key),
        NodeKind::Sequence(_) | NodeKind::Mapping(_) => Err(SyntaxError::new(
            key.line,
            key.column,
            "a key must be a string; quote the value if it starts with `{` or `[`",
        )),
    }
}

fn node(span: Span, kind: NodeKind) -> Node {
    Node { line: span.start.line(), column: span.start.col() + 1, kind }
}

/// How large a node is, with everything below it.
#[derive(Clone, Copy, Debug)]
struct Size {
    cost: usize,
    depth: usize,
}

/// The recursion ends: nothing is ever added below [`MAX_DEPTH`].
fn size(node: &Node) -> Size {
    let below = |nodes: &mut dyn Iterator<Item = &Node>| {
        nodes.map(size).fold(Size { cost: 1, depth: 1 }, |sum, child| Size {
            cost: sum.cost.saturating_add(child.cost),
            depth: sum.depth.max(child.depth + 1),
        })
    };
    match &node.kind {
        NodeKind::Scalar { text, .. } => Size { cost: 1 + text.len() / BYTES_PER_NODE, depth: 0 },
        NodeKind::Sequence(items) => below(&mut items.iter()),
        NodeKind::Mapping(entries) => below(&mut entries.iter().flat_map(|(key, value)| [key, value])),
    }
}

fn check_depth(depth: usize, span: Span) -> Result<(), SyntaxError> {
    if depth > MAX_DEPTH {
        return Err(SyntaxError::at(span, format!("nested deeper than {MAX_DEPTH} levels")));
    }
    Ok(())
}

fn refuse_tag(tag: Option<&Tag>, span: Span) -> Result<(), SyntaxError> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() => Err(SyntaxError::at(span, "YAML tags are not supported")),
        _ => Ok(()),
    }
}

fn scalar_style(style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Result<Style, SyntaxError> {
    refuse_tag(tag, span)?;
    let is_string = tag.is_some_and(|tag| tag.suffix == "str");
    Ok(match style {
        ScalarStyle::Plain if !is_string => Style::Plain,
        ScalarStyle::Literal => Style::Literal,
        _ => Style::Quoted,
    })
}
