//! What a page is made of. Every field is public; the builder methods only make callers shorter.

mod chart;
mod picture;
mod table;
mod trace;

pub use chart::{Chart, Mark, Series, Unit};
pub use picture::{Heat, HeatScale, Points, Scatter};
pub use table::{Align, Column, Emphasis, Row, Table};
pub use trace::{Reading, Trace};

/// One HTML file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The heading, and the title of the browser's tab.
    pub title: String,
    /// One line under the heading: what the page covers and until when. Left out when empty.
    pub subtitle: String,
    /// What a reader must know before reading on; shown above everything else.
    pub notices: Vec<Notice>,
    /// The body, in reading order.
    pub sections: Vec<Section>,
}

impl Page {
    /// A page without notices or sections.
    pub fn new(title: impl Into<String>, subtitle: impl Into<String>) -> Self {
        Self { title: title.into(), subtitle: subtitle.into(), ..Self::default() }
    }

    /// Adds a notice that informs.
    pub fn info(mut self, text: impl Into<String>) -> Self {
        self.notices.push(Notice::Info(text.into()));
        self
    }

    /// Adds a notice that warns.
    pub fn warning(mut self, text: impl Into<String>) -> Self {
        self.notices.push(Notice::Warning(text.into()));
        self
    }

    /// Adds a section at the end.
    pub fn section(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }
}

/// A sentence that holds for the whole page, such as "Simulated market, seed 7: no real prices".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Good to know.
    Info(String),
    /// A reader who misses this would misread the page.
    Warning(String),
}

/// A heading and what stands under it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// The heading.
    pub heading: String,
    /// A sentence or two before the first block.
    pub lead: Option<String>,
    /// Tiles, tables, charts and notes, in reading order.
    pub blocks: Vec<Block>,
}

impl Section {
    /// A section without blocks.
    pub fn new(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), ..Self::default() }
    }

    /// Sets the sentence before the first block.
    pub fn lead(mut self, text: impl Into<String>) -> Self {
        self.lead = Some(text.into());
        self
    }

    /// Adds a row of key figures.
    pub fn figures(self, figures: impl IntoIterator<Item = Figure>) -> Self {
        self.block(Block::Figures(figures.into_iter().collect()))
    }

    /// Adds a table.
    pub fn table(self, table: Table) -> Self {
        self.block(Block::Table(table))
    }

    /// Adds a chart.
    pub fn chart(self, chart: Chart) -> Self {
        self.block(Block::Chart(chart))
    }

    /// Adds a heat table.
    pub fn heat(self, heat: Heat) -> Self {
        self.block(Block::Heat(heat))
    }

    /// Adds points by two numbers.
    pub fn scatter(self, scatter: Scatter) -> Self {
        self.block(Block::Scatter(scatter))
    }

    /// Adds lines over instants.
    pub fn trace(self, trace: Trace) -> Self {
        self.block(Block::Trace(trace))
    }

    /// Adds a paragraph of small print.
    pub fn note(self, text: impl Into<String>) -> Self {
        self.block(Block::Note(text.into()))
    }

    /// Adds a block of any kind.
    pub fn block(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }
}

/// One thing under a heading.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// Key figures, side by side.
    Figures(Vec<Figure>),
    /// A table.
    Table(Table),
    /// A chart.
    Chart(Chart),
    /// A heat table.
    Heat(Heat),
    /// Points by two numbers.
    Scatter(Scatter),
    /// Lines over instants.
    Trace(Trace),
    /// A paragraph of small print.
    Note(String),
}

/// A key figure: a small label over a large value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figure {
    /// What it is.
    pub label: String,
    /// How much, already formatted.
    pub value: String,
    /// Smaller text under the value: a date, a basis, a comparison.
    pub detail: Option<String>,
}

impl Figure {
    /// A figure without detail.
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into(), detail: None }
    }

    /// Sets the smaller text under the value.
    pub fn detail(mut self, text: impl Into<String>) -> Self {
        self.detail = Some(text.into());
        self
    }
}
