//! Pictures that are not over time: a heat table, and points by two numbers.

use super::Unit;

/// A table whose cells are coloured by their value.
#[derive(Clone, Debug, PartialEq)]
pub struct Heat {
    /// What is drawn.
    pub title: String,
    /// What a reader should see in it; shown under the title and read out in place of the drawing.
    pub description: String,
    /// What the values are.
    pub unit: Unit,
    /// What colour means.
    pub scale: HeatScale,
    /// What stands above the names of the rows.
    pub corner: String,
    /// The headings, left to right.
    pub columns: Vec<String>,
    /// The rows, top to bottom: a name and a value for each column. What is missing or not finite stays blank.
    pub rows: Vec<(String, Vec<Option<f64>>)>,
}

/// What the colour of a heat table means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeatScale {
    /// The further above zero the stronger one colour, the further below the stronger the other.
    AroundZero,
    /// The lowest value has the faintest colour, the highest the strongest.
    LowToHigh,
}

impl Heat {
    /// A heat table without columns or rows.
    pub fn new(title: impl Into<String>, unit: Unit, scale: HeatScale) -> Self {
        Self {
            title: title.into(),
            description: String::new(),
            unit,
            scale,
            corner: String::new(),
            columns: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Sets what a reader should see in it.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// Sets the headings and what stands above the names of the rows.
    pub fn columns<C: Into<String>>(
        mut self,
        corner: impl Into<String>,
        columns: impl IntoIterator<Item = C>,
    ) -> Self {
        self.corner = corner.into();
        self.columns = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a row.
    pub fn row(mut self, name: impl Into<String>, values: impl IntoIterator<Item = Option<f64>>) -> Self {
        self.rows.push((name.into(), values.into_iter().collect()));
        self
    }
}

/// Points by two numbers, in groups that have a colour each.
#[derive(Clone, Debug, PartialEq)]
pub struct Scatter {
    /// What is drawn.
    pub title: String,
    /// What a reader should see in it; shown under the title and read out in place of the drawing.
    pub description: String,
    /// What lies to the right, and its unit.
    pub across: (String, Unit),
    /// What lies above, and its unit.
    pub up: (String, Unit),
    /// The groups, in the order of their colours.
    pub groups: Vec<Points>,
}

/// Points of one colour.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Points {
    /// The name in the legend.
    pub name: String,
    /// What each point is, how far right, how far up. Points that are not finite, or beyond 1e18 in size, are left out.
    pub points: Vec<(String, f64, f64)>,
}

impl Scatter {
    /// A scatter without points.
    pub fn new(title: impl Into<String>, across: (&str, Unit), up: (&str, Unit)) -> Self {
        Self {
            title: title.into(),
            description: String::new(),
            across: (across.0.to_owned(), across.1),
            up: (up.0.to_owned(), up.1),
            groups: Vec::new(),
        }
    }

    /// Sets what a reader should see in it.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// Adds a group.
    pub fn group(
        mut self,
        name: impl Into<String>,
        points: impl IntoIterator<Item = (String, f64, f64)>,
    ) -> Self {
        self.groups.push(Points { name: name.into(), points: points.into_iter().collect() });
        self
    }
}
