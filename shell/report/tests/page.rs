//! What every page keeps to, whatever it is made of.

use std::collections::BTreeSet;
use strongroom_report::{
    Chart, Emphasis, Figure, Heat, HeatScale, Mark, Page, Scatter, Section, Table, Trace, Unit, render, svg,
};
use strongroom_units::time::{Date, Timestamp};

const MARKS: [Mark; 3] = [Mark::Line, Mark::Area, Mark::Bars];
const HOSTILE: &str = r#"</title></style><script>alert('x')</script><b onclick="x">&"#;

fn units() -> [Unit; 4] {
    [
        Unit::Number { decimals: 0 },
        Unit::Money { symbol: "$" },
        Unit::Percent { decimals: 2 },
        Unit::Coins { symbol: "BTC".to_owned() },
    ]
}

fn days() -> impl Iterator<Item = Date> {
    std::iter::successors(Some(Date::constant(2010, 1, 1)), |date| date.tomorrow().ok())
}

fn instant(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_678_406_400 + seconds).unwrap_or_default()
}

fn points(values: &[f64]) -> Vec<(Date, f64)> {
    days().zip(values.iter().copied()).collect()
}

fn waves(count: u32) -> Vec<f64> {
    (0..count).map(|index| 25.0 + (f64::from(index) / 30.0).sin() * 9.0).collect()
}

fn page_of(chart: Chart) -> String {
    render(&Page::new("Page", "").section(Section::new("Section").chart(chart)))
}

/// A page with every kind of block, all of its texts being `text`.
fn page_full_of(text: &'static str) -> Page {
    let unit = Unit::Coins { symbol: text.to_owned() };
    let mut section = Section::new(text)
        .lead(text)
        .figures([Figure::new(text, text).detail(text)])
        .table(Table::new(text).left(text).right(text).row_with(Emphasis::Bad, [text, text]))
        .chart(Chart::new(text, Mark::Line, Unit::Money { symbol: text }).series(text, points(&[1.0, 2.0])))
        .heat(
            Heat::new(text, unit.clone(), HeatScale::AroundZero)
                .columns(text, [text])
                .row(text, [Some(-1.0)]),
        )
        .scatter(
            Scatter::new(text, (text, unit.clone()), (text, unit.clone()))
                .description(text)
                .group(text, [(text.to_owned(), 1.0, 2.0)])
                .group(text, [(text.to_owned(), 3.0, f64::NAN)]),
        )
        .trace(
            Trace::new(text, unit.clone())
                .description(text)
                .line(text, [(instant(0), Some(1.0)), (instant(900), Some(2.0))]),
        )
        .note(text);
    for mark in MARKS {
        let chart = Chart::new(text, mark, unit.clone()).description(text).series(text, points(&[1.0, -2.0]));
        section = section.chart(chart.series(text, points(&[3.0])));
    }
    Page::new(text, text).info(text).warning(text).section(section)
}

/// The values of an attribute, in order of appearance.
fn attributes<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!(" {name}=\"");
    html.split(start.as_str()).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn hostile_text_stays_text() {
    let html = render(&page_full_of(HOSTILE));
    for tag in ["<script", "<b ", "onclick=\"", "'x')</"] {
        assert!(!html.contains(tag), "{tag}");
    }
    assert_eq!(html.matches("</title>").count(), html.matches("<title").count());
    assert_eq!(html.matches("</style>").count(), 1);
    assert!(html.contains("&lt;script&gt;"));
}

#[test]
fn nothing_is_fetched_and_nothing_is_run() {
    let html = render(&page_full_of("text"));
    for reference in
        ["http://", "https://", "//", "<script", "<link", "<img", "url(", "@import", "src=", "href="]
    {
        assert!(!html.contains(reference), "{reference}");
    }
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
    assert!(html.contains(&format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">")));
    assert!(html.starts_with("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"));
}

#[test]
fn the_same_page_gives_the_same_bytes() {
    assert_eq!(render(&page_full_of("text")), render(&page_full_of("text")));
}

#[test]
fn ids_are_unique_and_every_reference_has_a_target() {
    let html = render(&page_full_of("text").section(page_full_of("text").sections.remove(0)));
    let ids = attributes(&html, "id");
    let distinct: BTreeSet<_> = ids.iter().copied().collect();
    assert_eq!(ids.len(), distinct.len());
    for name in ["aria-labelledby", "aria-describedby"] {
        let references = attributes(&html, name);
        assert!(!references.is_empty());
        assert!(references.iter().all(|reference| distinct.contains(reference)), "{name}");
    }
}

#[test]
fn every_drawing_has_a_title_and_a_description() {
    for mark in MARKS {
        for description in ["", "Up and down."] {
            let chart = Chart::new("Price", mark, Unit::Money { symbol: "$" }).description(description);
            let html = page_of(chart.series("Fund", points(&[25.0, 30.0, 20.0])));
            assert!(html.contains("<svg viewBox=\"0 0 1000 320\" role=\"img\""), "{html}");
            assert!(html.contains("<title id=\"block-1-1-title\">Price</title>"));
            let words = "Fund: 3 values, from $25.00 on 1 Jan 2010 to $20.00 on 3 Jan 2010; \
                         lowest $20.00 on 3 Jan 2010, highest $30.00 on 2 Jan 2010.";
            let text = format!("{description} {words}");
            assert!(html.contains(&format!(">{}</desc>", text.trim_start())), "{html}");
        }
    }
}

#[test]
fn a_chart_without_points_says_so() {
    for mark in MARKS {
        let chart = Chart::new("Price", mark, Unit::Number { decimals: 2 });
        for chart in [chart.clone(), chart.clone().series("A", []), chart.series("A", points(&[f64::NAN]))] {
            let html = page_of(chart);
            assert!(html.contains("No data to draw") && !html.contains("<svg"));
        }
    }
}

#[test]
fn awkward_values_are_drawn_inside_the_frame() {
    let inputs: Vec<Vec<f64>> = vec![
        vec![1.0],
        vec![0.0],
        vec![-1e12],
        vec![25.0; 40],
        vec![0.0; 40],
        vec![1e12, 1.0, -1e12],
        vec![1e18, -1e18],
        vec![1e12, 1e12 + 1.0],
        vec![1e-9, 2e-9],
        vec![f64::MIN_POSITIVE, 0.0, -0.0],
        vec![f64::NAN, 1.0, f64::INFINITY, 2.0, f64::NEG_INFINITY, f64::MAX],
        (0..700).map(|index| if index % 2 == 0 { -3.5 } else { 1e9 }).collect(),
    ];
    for values in &inputs {
        for mark in MARKS {
            for unit in units() {
                let html =
                    page_of(Chart::new("Chart", mark, unit).series("One", points(values)).series("None", []));
                let drawing = html.split("<svg").nth(1).and_then(|rest| rest.split("</svg>").next());
                check_drawing(drawing.expect("a drawing"), values);
            }
        }
    }
}

/// Every number in a coordinate lies within the view box.
fn check_drawing(drawing: &str, values: &[f64]) {
    for word in ["NaN", "inf"] {
        assert!(!drawing.contains(word), "{word} for {values:?}");
    }
    let coordinates =
        ["x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "d"].map(|name| attributes(drawing, name));
    for coordinate in coordinates.iter().flatten() {
        for number in
            coordinate.split(|c: char| !matches!(c, '0'..='9' | '.' | '-')).filter(|text| !text.is_empty())
        {
            let number: f64 = number.parse().unwrap_or(f64::NAN);
            assert!((0.0..=1000.0).contains(&number), "{number} for {values:?}");
        }
    }
}

#[test]
fn points_left_out_are_counted() {
    let chart = |values: &[f64]| {
        page_of(Chart::new("Chart", Mark::Line, Unit::Number { decimals: 0 }).series("A", points(values)))
    };
    assert!(chart(&[1.0, f64::NAN, 2.0, f64::MAX]).contains("2 points are left out"));
    assert!(chart(&[1.0, f64::NAN]).contains("One point is left out"));
    assert!(!chart(&[1.0, 2.0]).contains("left out"));
}

#[test]
fn twenty_years_of_days_stay_small() {
    for mark in MARKS {
        let chart = |count| {
            let values = points(&waves(count));
            page_of(Chart::new("Chart", mark, Unit::Money { symbol: "$" }).series("Fund", values)).len()
        };
        let (short, long) = (chart(800), chart(5000));
        assert!(long < short + short / 5, "{mark:?}: {short} to {long} bytes");
        assert!(long < 50_000, "{mark:?}: {long} bytes");
    }
}

#[test]
fn bars_not_drawn_are_owned_up_to() {
    let chart = |mark, count| {
        page_of(Chart::new("Chart", mark, units()[0].clone()).series("A", points(&waves(count))))
    };
    assert!(chart(Mark::Bars, 5000).contains("only the lowest and the highest are shown"));
    assert!(
        !chart(Mark::Bars, 800).contains("Too many bars")
            && !chart(Mark::Line, 5000).contains("Too many bars")
    );
}

#[test]
fn more_series_than_colours_are_told_apart_by_broken_lines() {
    let chart = Chart::new("Chart", Mark::Line, Unit::Number { decimals: 1 });
    let chart = (0..9).fold(chart, |chart, index| {
        chart.series(format!("Series {index}"), points(&[f64::from(index), 1.0]))
    });
    let html = page_of(chart);
    assert!(
        html.contains("<li class=\"s0\">Series 0</li>")
            && html.contains("<li class=\"s0 broken\">Series 6</li>")
    );
    assert!(html.contains("And 1 more series."));
}

#[test]
fn gains_and_losses_differ() {
    let chart = Chart::new("Return", Mark::Bars, Unit::Percent { decimals: 1 });
    let html = page_of(chart.series("Fund", points(&[0.1, -0.2])));
    assert!(html.contains("<title>Fund, 1 Jan 2010: 10.0%</title>"));
    assert_eq!(html.matches("<path class=\"loss\"").count(), 1);
    assert!(html.contains("<line class=\"grid zero\""));
}

#[test]
fn long_tables_scroll_and_lose_no_row() {
    let page = |rows: usize| {
        let table = Table::new("Days").left("Day").right("Value");
        let table = (0..rows).fold(table, |table, row| table.row([format!("row {row}"), "1".to_owned()]));
        render(&Page::new("Page", "").section(Section::new("Section").table(table)))
    };
    assert!(!page(400).contains("scroll to see them all"));
    let long = page(1200);
    assert!(long.contains("<div class=\"table long\" role=\"region\" tabindex=\"0\""));
    assert!(long.contains("1200 rows, scroll to see them all"));
    assert_eq!(long.matches("<th scope=\"row\">").count(), 1200);
}

#[test]
fn rows_keep_to_the_columns_and_keep_all_cells() {
    let table = Table::new("Table").left("A").right("B").row(["1"]).row(["2", "3", "4"]);
    let html = render(&Page::new("Page", "").section(Section::new("Section").table(table)));
    assert!(html.contains("<th scope=\"col\">A</th><th class=\"right\" scope=\"col\">B</th>"), "{html}");
    assert!(html.contains("<tr><th scope=\"row\">1</th><td class=\"right\"></td></tr>"));
    assert!(html.contains("<tr><th scope=\"row\">2</th><td class=\"right\">3</td><td>4</td></tr>"));
}

#[test]
fn an_empty_page_is_a_page() {
    assert!(render(&Page::default()).ends_with("<header><h1></h1></header></main></body></html>"));
}

#[test]
fn a_heat_table_is_stronger_where_values_are_larger_and_blank_where_there_are_none() {
    let strengths = |scale: HeatScale, values: &[Option<f64>]| -> Vec<String> {
        let columns: Vec<_> = (0..values.len()).map(|column| format!("c{column}")).collect();
        let heat = Heat::new("Heat", Unit::Number { decimals: 2 }, scale).columns("", columns);
        let html = render(
            &Page::new("Page", "").section(Section::new("S").heat(heat.row("row", values.iter().copied()))),
        );
        let losses = html.matches("cell loss").count();
        let mut found: Vec<_> = attributes(&html, "fill-opacity").into_iter().map(str::to_owned).collect();
        found.push(format!("{losses} below zero"));
        found
    };
    let check = |scale, values: &[Option<f64>], expected: &[&str]| {
        assert_eq!(strengths(scale, values), expected, "{scale:?} {values:?}");
    };
    check(
        HeatScale::AroundZero,
        &[Some(1.0), Some(-0.5), Some(0.0)],
        &["0.62", "0.34", "0.06", "1 below zero"],
    );
    check(
        HeatScale::LowToHigh,
        &[Some(5.0), Some(6.0), Some(7.0)],
        &["0.06", "0.34", "0.62", "0 below zero"],
    );
    check(HeatScale::LowToHigh, &[Some(5.0), None, Some(f64::NAN)], &["0.34", "0 below zero"]);
}

#[test]
fn a_scatter_puts_each_point_where_its_numbers_are() {
    let unit = Unit::Percent { decimals: 1 };
    let scatter = Scatter::new("Outcomes", ("risk", unit.clone()), ("return", unit))
        .group("a", [("a1".to_owned(), 0.1, 0.0), ("a2".to_owned(), 0.2, 0.5)])
        .group("b", [("b1".to_owned(), 0.3, f64::INFINITY)]);
    let html = render(&Page::new("Page", "").section(Section::new("S").scatter(scatter)));
    let at = |name: &str| -> Vec<f64> {
        attributes(&html, name).into_iter().map(|text| text.parse().unwrap()).collect()
    };
    let (x, y) = (at("cx"), at("cy"));
    assert_eq!((x.len(), y.len()), (2, 2), "a point without a place is left out");
    assert!(x[0] < x[1] && y[0] > y[1], "{x:?} {y:?}");
    assert!(html.contains("a2: risk 20.0%, return 50.0%"));
    assert!(html.contains("Points left out"));
}

#[test]
fn a_trace_has_gaps_and_stands_alone_as_a_file() {
    let points =
        [(0, Some(1.0)), (900, Some(0.9)), (1_800, None), (2_700, Some(f64::NAN)), (3_600, Some(0.95))];
    let trace = Trace::new("USDC-USD", Unit::Number { decimals: 4 })
        .description("Below a dollar.")
        .line("USDC-USD", points.map(|(seconds, value)| (instant(seconds), value)))
        .line("nothing", [(instant(0), None)]);
    let file = svg(&trace);
    assert!(file.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""), "{file}");
    assert!(file.contains("prefers-color-scheme: dark") && file.contains("10 Mar 2023"), "{file}");
    assert!(file.contains("USDC-USD: lowest 0.9000, highest 1.0000. nothing: no values."), "{file}");
    let line = attributes(&file, "d").into_iter().find(|path| path.contains('L')).unwrap_or_default();
    assert_eq!((line.matches('M').count(), line.matches('L').count()), (2, 1), "{line}");
    let html = render(&Page::new("Page", "").section(Section::new("S").trace(trace.clone())));
    assert!(html.contains(line) && !html.contains("xmlns"));
    assert_eq!(svg(&Trace::new("", trace.unit)), "<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>\n");
}
