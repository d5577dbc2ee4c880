//! The page around the charts.

use crate::model::{Align, Block, Emphasis, Figure, Notice, Page, Section, Table};
use crate::{chart, heat, scatter, trace};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");
/// Nothing is fetched and nothing is run, even if a text got past the escaping.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
/// Beyond this many rows a table scrolls inside its own frame.
const ROWS_MAX: usize = 400;

/// The page as one HTML file. The same page always gives the same bytes.
pub fn render(page: &Page) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (page.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    header {
                        h1 { (page.title) }
                        @if !page.subtitle.is_empty() { p.subtitle { (page.subtitle) } }
                        @for notice in &page.notices { (notice_box(notice)) }
                    }
                    @for (index, part) in page.sections.iter().enumerate() { (section(part, index + 1)) }
                }
            }
        }
    };
    markup.into_string()
}

fn notice_box(notice: &Notice) -> Markup {
    let (class, word, text) = match notice {
        Notice::Info(text) => ("notice", "Note", text),
        Notice::Warning(text) => ("notice warning", "Warning", text),
    };
    html! { p class=(class) role="note" { strong { (word) } " " (text) } }
}

fn section(section: &Section, number: usize) -> Markup {
    let heading = format!("section-{number}");
    html! {
        section aria-labelledby=(heading) {
            h2 id=(heading) { (section.heading) }
            @if let Some(lead) = &section.lead { p.lead { (lead) } }
            @for (index, part) in section.blocks.iter().enumerate() {
                (block(part, &format!("block-{number}-{}", index + 1)))
            }
        }
    }
}

fn block(block: &Block, id: &str) -> Markup {
    match block {
        Block::Figures(figures) => tiles(figures),
        Block::Table(part) => table(part, id),
        Block::Chart(part) => chart::figure(part, id),
        Block::Heat(part) => heat::figure(part, id),
        Block::Scatter(part) => scatter::figure(part, id),
        Block::Trace(part) => trace::figure(part, id),
        Block::Note(text) => html! { p.note { (text) } },
    }
}

fn tiles(figures: &[Figure]) -> Markup {
    html! {
        dl.figures {
            @for figure in figures {
                div {
                    dt { (figure.label) }
                    dd.value { (figure.value) }
                    @if let Some(detail) = &figure.detail { dd.detail { (detail) } }
                }
            }
        }
    }
}

/// A frame that can scroll must be reachable by keyboard and have a name, hence `tabindex` and `region`.
fn table(table: &Table, id: &str) -> Markup {
    let caption = format!("{id}-caption");
    let long = table.rows.len() > ROWS_MAX;
    html! {
        div.table.long[long] role=[long.then_some("region")] tabindex=[long.then_some("0")]
            aria-labelledby=[long.then_some(&caption)] {
            table id=(id) {
                caption id=(caption) {
                    (table.caption)
                    @if long { span.count { (table.rows.len()) " rows, scroll to see them all" } }
                }
                thead { tr {
                    @for column in &table.columns { th class=[align_class(column.align)] scope="col" { (column.heading) } }
                } }
                tbody {
                    @for row in &table.rows { tr class=[emphasis_class(row.emphasis)] { (cells(table, &row.cells)) } }
                    @if table.rows.is_empty() {
                        tr { td.none colspan=(table.columns.len().max(1)) { "No rows" } }
                    }
                }
            }
        }
    }
}

fn align_class(align: Align) -> Option<&'static str> {
    match align {
        Align::Left => None,
        Align::Right => Some("right"),
    }
}

fn emphasis_class(emphasis: Emphasis) -> Option<&'static str> {
    match emphasis {
        Emphasis::None => None,
        Emphasis::Strong => Some("strong"),
        Emphasis::Good => Some("good"),
        Emphasis::Bad => Some("bad"),
    }
}

fn cells(table: &Table, cells: &[String]) -> Markup {
    let width = cells.len().max(table.columns.len());
    html! {
        @for index in 0..width {
            @let text = cells.get(index).map_or("", String::as_str);
            @let right = table.columns.get(index).and_then(|column| align_class(column.align));
            @if index == 0 { th class=[right] scope="row" { (text) } }
            @else { td class=[right] { (text) } }
        }
    }
}
