//! The NYSE calendar by rule against two published libraries' calendar (exchange_calendars XNYS, equal to
//! pandas_market_calendars NYSE), on every day of 2009 to 2026.
//!
//! The data folder is not part of the repository; without it the test says so and steps aside, in CI it fails.

use strongroom_testing::shared;
use strongroom_units::time::{Calendar, Date, Session, Timestamp};

#[test]
fn every_session_and_close_of_2009_to_2026_is_as_published() {
    let Some(path) = shared("data/calendar/nyse_sessions_2009_2026.csv") else { return };
    let mut published = Vec::new();
    for row in csv::Reader::from_path(path).unwrap().records() {
        let row = row.unwrap();
        let instant = |column: usize| row[column].replace('Z', ":00Z").parse::<Timestamp>().unwrap();
        published.push(Session {
            date: row[0].parse().unwrap(),
            open: instant(1),
            close: instant(2),
            early_close: &row[3] == "1",
        });
    }
    let (first, last): (Date, Date) = ("2009-01-01".parse().unwrap(), "2026-12-31".parse().unwrap());
    let ours: Vec<Session> =
        Calendar::Nyse.sessions(first, last).map(|date| Calendar::Nyse.session(date).unwrap()).collect();
    assert_eq!(ours.len(), published.len());
    for (ours, published) in ours.iter().zip(&published) {
        assert_eq!(ours, published);
    }
}
