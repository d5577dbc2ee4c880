//! Tables: texts already formatted, in rows and columns.

/// A table whose first column names its rows. Beyond 400 rows it scrolls inside its own frame on screen and
/// is printed whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// What the table shows.
    pub caption: String,
    /// The headings, left to right.
    pub columns: Vec<Column>,
    /// The rows, top to bottom. A row shorter than `columns` is padded; a longer one keeps all its cells.
    pub rows: Vec<Row>,
}

impl Table {
    /// A table without columns or rows.
    pub fn new(caption: impl Into<String>) -> Self {
        Self { caption: caption.into(), ..Self::default() }
    }

    /// Adds a column of text.
    pub fn left(mut self, heading: impl Into<String>) -> Self {
        self.columns.push(Column { heading: heading.into(), align: Align::Left });
        self
    }

    /// Adds a column of figures.
    pub fn right(mut self, heading: impl Into<String>) -> Self {
        self.columns.push(Column { heading: heading.into(), align: Align::Right });
        self
    }

    /// Adds a plain row.
    pub fn row<C: Into<String>>(self, cells: impl IntoIterator<Item = C>) -> Self {
        self.row_with(Emphasis::None, cells)
    }

    /// Adds a row with emphasis.
    pub fn row_with<C: Into<String>>(
        mut self,
        emphasis: Emphasis,
        cells: impl IntoIterator<Item = C>,
    ) -> Self {
        self.push(emphasis, cells);
        self
    }

    /// Adds a row to a table being filled in a loop.
    pub fn push<C: Into<String>>(&mut self, emphasis: Emphasis, cells: impl IntoIterator<Item = C>) {
        self.rows.push(Row { cells: cells.into_iter().map(Into::into).collect(), emphasis });
    }
}

/// A column's heading and how its cells are set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// The heading.
    pub heading: String,
    /// Left for text, right for figures.
    pub align: Align,
}

/// Where a column's cells are set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Align {
    /// Text.
    #[default]
    Left,
    /// Figures.
    Right,
}

/// A row of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// One text per column, already formatted.
    pub cells: Vec<String>,
    /// How the row stands out.
    pub emphasis: Emphasis,
}

/// How a row stands out from its neighbours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Emphasis {
    /// It does not.
    #[default]
    None,
    /// A total.
    Strong,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
}
