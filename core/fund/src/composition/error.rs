//! Why a composition was refused: the place, the rule, and what to write instead.

use core::fmt;

/// A composition that was refused, on reading, on writing, or as a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompositionError {
    /// Line in the file, from 1; 0 when no file is meant, or the file as a whole.
    pub line: usize,
    /// Column in the line, from 1: a byte in the fixed-width form, a character in JSON, the number of the field in
    /// CSV. 0 with line 0.
    pub column: usize,
    /// The rule that was broken.
    pub rule: CompositionRule,
    /// What was found.
    pub message: String,
}

impl CompositionError {
    pub(super) fn new(place: Place, rule: CompositionRule, message: impl Into<String>) -> Self {
        Self { line: place.line, column: place.column, rule, message: message.into() }
    }

    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        self.rule.code()
    }

    /// What to write instead.
    pub fn fix(&self) -> &'static str {
        self.rule.fix()
    }
}

impl fmt::Display for CompositionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}, column {}: ", self.line, self.column)?;
        }
        write!(f, "{}. {}", self.message, self.fix())
    }
}

impl std::error::Error for CompositionError {}

/// Line and column, both from 1; both 0 for no place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub line: usize,
    pub column: usize,
}

impl Place {
    pub(super) const NONE: Self = Self { line: 0, column: 0 };

    pub(super) fn new(line: usize, column: usize) -> Self {
        Self { line, column }
    }
}

/// Text from outside as it may be shown in a message: at most 32 characters, control characters escaped.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(32).flat_map(char::escape_debug).collect()
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident => $code:literal, $fix:literal;)*) => {
        /// The rules of a composition. The set is closed: a code never changes its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum CompositionRule {
            $($(#[$doc])* $name,)*
        }

        impl CompositionRule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable code.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("composition.", $code),)*
                }
            }

            /// What to write instead.
            pub fn fix(self) -> &'static str {
                match self {
                    $(Self::$name => $fix,)*
                }
            }
        }
    };
}

rules! {
    /// The file is text.
    TextIsUtf8 => "text_must_be_utf8", "Write the file in UTF-8";
    /// The file is at most 8 MiB.
    FileIsBounded => "file_must_be_at_most_8_mib", "Write one composition to a file";
    /// A line of CSV or fixed width is at most 1,024 bytes.
    LineIsBounded => "line_must_be_at_most_1024_bytes", "Write one record to a line";
    /// There are at most 10,000 components.
    ComponentsAreBounded => "components_must_be_at_most_10000", "Write at most 10,000 components";
    /// JSON is well formed and has exactly the documented names.
    JsonIsReadable => "json_must_be_readable", "Write the documented names, each once";
    /// Text, dates, amounts and quantities are JSON strings.
    JsonValueIsText => "json_value_must_be_text", "Write the value in quotes: a bare number loses digits";
    /// Counts and flags are JSON numbers and booleans.
    JsonValueIsBare => "json_value_must_be_bare", "Write a whole number, true or false without quotes";
    /// The value could be written as JSON or CSV.
    FileIsWritable => "file_must_be_writable", "Report this: every composition can be written";
    /// The two title lines of CSV are the documented ones.
    CsvTitlesMatch => "csv_titles_must_match", "Write the documented titles in their order";
    /// A CSV record has one value for each title.
    CsvRecordHasItsFields => "csv_record_must_have_its_fields", "Write one value for each title";
    /// A fixed-width record begins with a known type.
    RecordTypeIsKnown => "record_type_must_be_known", "Begin the record with 01, 02, 03 or 04";
    /// A fixed-width record has the length of its type.
    RecordHasItsLength => "record_must_have_its_length", "Write 01 in 150 or 151 bytes, 02 in 72, 03 in 54, 04 in 137";
    /// A fixed-width record is ASCII.
    RecordIsAscii => "record_must_be_printable_ascii", "Write letters, digits, blanks and punctuation of ASCII";
    /// One header, then its name, then each component, then its quantity.
    RecordsAreInOrder => "records_must_be_in_order", "Write 01, at most one 04, then each 02 with at most one 03";
    /// The header's count is the number of components.
    ComponentCountMatches => "component_count_must_match", "Write the number of components in the header";
    /// A component record repeats the header's trade date.
    TradeDateMatches => "trade_date_must_match", "Write the header's trade date in each component record";
    /// A component record repeats the header's symbol, CUSIP and listing; a name record its symbol.
    ParentMatches => "parent_must_be_the_fund", "Repeat the header's symbol, CUSIP and listing";
    /// A quantity record belongs to the component record before it.
    QuantityFollowsItsComponent => "quantity_must_follow_its_component", "Write the 03 after the 02 of the same symbol and CUSIP";
    /// The component record carries the whole part of its quantity record.
    WholePartMatches => "whole_part_must_match", "Write the whole part of the 03 in the 02";
    /// A symbol is 1 to 12 capitals, digits, `.`, `-` or `_`.
    SymbolIsValid => "symbol_must_be_valid", "Write 1 to 12 of A-Z, 0-9, `.`, `-`, `_`, beginning with a letter or digit";
    /// A CUSIP is nine of A-Z, 0-9, `*`, `@`, `#`.
    CusipIsValid => "cusip_must_be_9_characters", "Write nine of A-Z, 0-9, `*`, `@`, `#`, or leave it out";
    /// A name is 1 to 120 characters without control characters.
    NameIsValid => "name_must_be_1_to_120_characters", "Write 1 to 120 characters that begin with a letter or digit and end without a blank";
    /// A flag is 0 or 1, or true or false.
    FlagIsValid => "flag_must_be_yes_or_no", "Write 0 or 1 in a fixed-width record, true or false elsewhere";
    /// An exchange is one of three.
    ExchangeIsKnown => "exchange_must_be_known", "Write nyse, amex or other; 0, 1 or 2 in a fixed-width record";
    /// A trade date is a day of the calendar, in the years 0000 to 9999.
    DateIsValid => "date_must_be_a_day", "Write a date like 2011-06-24; 20110624 in a fixed-width record";
    /// A count is a whole number in digits.
    CountIsWhole => "count_must_be_whole", "Write a whole number in plain digits";
    /// An amount is a decimal number with at most eight decimals.
    AmountIsDecimal => "amount_must_be_decimal", "Write an amount like -2.91, with at most eight decimals";
    /// A fixed-width amount ends in its sign.
    AmountHasItsSign => "amount_must_end_in_its_sign", "Write hundredths in digits and then + or -";
    /// A quantity is written with all its decimals, without exponent or leading zeros.
    QuantityIsPlain => "quantity_must_be_plain", "Write the quantity with all its decimals, like 22.66000000; at most 18";
    /// A cash indicator is one letter or digit.
    CashIndicatorIsValid => "cash_indicator_must_be_one_character", "Write one of A-Z or 0-9, or leave it out";
    /// A creation unit has shares.
    CreationUnitIsPositive => "creation_unit_must_be_positive", "Write the shares in one creation unit";
    /// Shares outstanding are not negative.
    SharesAreNotNegative => "shares_outstanding_must_not_be_negative", "Write zero or more shares";
    /// A component has a quantity.
    QuantityIsPositive => "quantity_must_be_positive", "Write a quantity above zero, or leave the component out";
    /// Each component is listed once.
    ComponentsDiffer => "components_must_differ", "Write each symbol once";
    /// NAV per share times shares is NAV per creation unit, within one cent a share.
    NavPerShareAgrees => "nav_per_share_must_agree", "Write NAV per creation unit as NAV per share times its shares";
    /// An amount has a representation in the wanted form.
    AmountIsInCents => "amount_must_be_in_cents", "Round to cents with a named rounding before writing fixed width";
    /// A value fits its field of the fixed-width form.
    ValueFitsItsField => "value_must_fit_its_field", "Write this composition as JSON or CSV";
}
