//! The preview as comments of a forge, none longer than it takes. Pure.
//!
//! Pages end between environments where they can, else between manifests, and within a manifest only where it alone is
//! longer than a page. What does not fit on the last page is counted and named by environment.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::markdown::{Block, blocks};
use super::summary;
use crate::diff::report::DiffReport;
use crate::escape::{code, cut, cut_markdown, link, prose};

/// The most characters of a page.
pub const PAGE_LIMIT: usize = 60_000;
/// The most pages.
pub const PAGES: usize = 5;

/// Room for a page's number, for what ends a block, and for what is left out.
const RESERVED: usize = 2_000;

/// Where the whole preview is.
#[derive(Clone, Debug, Default)]
pub struct Whole {
    /// The web page of the job that keeps it.
    pub page: Option<String>,
    /// The path of the file that has it.
    pub file: Option<String>,
}

impl Whole {
    /// As Markdown; `None` where nothing is known.
    fn link(&self) -> Option<String> {
        let name = self.file.as_ref().and_then(|path| path.rsplit(['/', '\\']).next());
        let name = name.map(|name| format!(" ({})", code(&cut(name, 100)))).unwrap_or_default();
        let words = "the whole diff";
        let place = self.page.as_ref().map_or_else(|| words.to_owned(), |url| link(words, url));
        (self.page.is_some() || self.file.is_some()).then(|| format!("{place}{name}"))
    }
}

/// The pages; at least one. `whole` is where the whole diff is.
pub fn pages(report: &DiffReport, limit: usize, most: usize, whole: &Whole) -> Vec<String> {
    let link = whole.link();
    let summary = summary::summary(report, link.as_deref());
    let first = cut_markdown(&summary, limit.saturating_sub(RESERVED));
    let mut book = Book {
        limit: limit.saturating_sub(RESERVED),
        most: most.max(1),
        pages: vec![first],
        left: BTreeMap::new(),
    };
    let blocks = blocks(report);
    let mut rest = blocks.as_slice();
    while let Some(block) = rest.first() {
        let count = rest.iter().take_while(|other| other.environment == block.environment).count();
        let (environment, after) = rest.split_at(count);
        book.environment(environment);
        rest = after;
    }
    book.finish(link.as_deref())
}

struct Book {
    limit: usize,
    most: usize,
    pages: Vec<String>,
    /// How many pieces of each environment are left out.
    left: BTreeMap<String, usize>,
}

impl Book {
    fn used(&self) -> usize {
        self.pages.last().map_or(0, |page| page.chars().count())
    }

    /// One environment: on this page if it fits, else from a new one on if it fits there.
    fn environment(&mut self, blocks: &[Block]) {
        let whole: usize =
            blocks.iter().map(|block| block.folded(&block.pieces, false).chars().count() + 2).sum();
        if self.used() + whole > self.limit && whole <= self.limit && self.pages.len() < self.most {
            self.pages.push(String::new());
        }
        for block in blocks {
            self.block(block);
        }
    }

    fn block(&mut self, block: &Block) {
        let mut rest = block.pieces.as_slice();
        let mut is_continued = false;
        while !rest.is_empty() {
            let room = self.limit.saturating_sub(self.used());
            let frame = block.folded(&[], is_continued).chars().count() + 2;
            let mut used = frame;
            let fits = |piece: &&String| {
                used += piece.chars().count() + 1;
                used <= room
            };
            let count = rest.iter().take_while(fits).count();
            if count > 0 {
                let (now, later) = rest.split_at(count);
                self.push(&block.folded(now, is_continued));
                (rest, is_continued) = (later, true);
                continue;
            }
            let is_fresh = self.used() == 0;
            if is_fresh {
                // One manifest alone is longer than a page.
                let piece = rest.first().map(|piece| cut_markdown(piece, room.saturating_sub(frame + 1)));
                self.push(&block.folded(&[piece.unwrap_or_default()], is_continued));
                (rest, is_continued) = (rest.get(1..).unwrap_or_default(), true);
            } else if self.pages.len() < self.most {
                self.pages.push(String::new());
            } else {
                *self.left.entry(block.environment.clone()).or_default() += rest.len();
                return;
            }
        }
    }

    fn push(&mut self, text: &str) {
        if let Some(page) = self.pages.last_mut() {
            if !page.is_empty() {
                page.push_str("\n\n");
            }
            page.push_str(text);
        }
    }

    /// `whole` is where the whole diff is, as Markdown.
    fn finish(mut self, whole: Option<&str>) -> Vec<String> {
        if !self.left.is_empty() {
            let left: Vec<String> = self
                .left
                .iter()
                .map(|(name, count)| format!("{count} of {}", prose(name)))
                .take(20)
                .collect();
            let more = self.left.len() - left.len();
            let more = if more > 0 { format!(" and of {more} more environments") } else { String::new() };
            let place = whole.unwrap_or("the whole diff");
            let text = format!("Too long to be shown here, see {place}: {}{more}.", left.join(", "));
            self.push(&text);
        }
        let count = self.pages.len();
        if count > 1 {
            for (index, page) in self.pages.iter_mut().enumerate() {
                // Writing to a string never fails.
                let _ = write!(page, "\n\nPage {} of {count}", index + 1);
                let whole = whole.filter(|_| index + 1 == count);
                page.push_str(&whole.map(|whole| format!("; {whole}")).unwrap_or_default());
            }
        }
        self.pages.into_iter().map(|page| page + "\n").collect()
    }
}
