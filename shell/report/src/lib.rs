//! Pages of figures, tables and charts as one HTML file each.
//!
//! A page is plain data in ([`Page`]) and a string out ([`render`]): the same page always gives the same
//! bytes. The file needs no network, no script and no font of its own, so it reads the same from a mail
//! attachment in ten years. This crate knows nothing of funds: callers bring text already formatted, and
//! numbers only where they are drawn.
//!
//! Charts are SVG written here rather than by a plotting library, because their colours are the page's own
//! style classes: that is what lets one drawing be legible in light, in dark and on paper.

mod chart;
mod heat;
mod html;
mod label;
mod model;
mod scale;
mod scatter;
mod series;
mod trace;

pub use html::render;
pub use model::{
    Align, Block, Chart, Column, Emphasis, Figure, Heat, HeatScale, Mark, Notice, Page, Points, Reading, Row,
    Scatter, Section, Series, Table, Trace, Unit,
};
pub use trace::svg;
