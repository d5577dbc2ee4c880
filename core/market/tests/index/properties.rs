//! What must hold whatever the market.

use crate::small::*;
use proptest::prelude::*;
use strongroom_market::index::{AssetName, Market, Series, capped_weights};
use strongroom_units::time::Date;
use strongroom_units::{Price, Rate};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn weights_come_to_exactly_one_and_none_is_above_the_cap(
        scores in prop::collection::vec(1i128..10i128.pow(30), 1..30),
        spare in 0i128..10i128.pow(18),
    ) {
        let count = scores.len() as i128;
        let least = Rate::from_units((10i128.pow(18) + count - 1) / count);
        let cap = Rate::from_units((least.units() + spare).min(10i128.pow(18)));
        for cap in [None, Some(least), Some(cap)] {
            let weights = capped_weights(&scores, cap).unwrap();
            prop_assert_eq!(sum(weights.iter().map(|weight| weight.weight)), rate("1"));
            prop_assert_eq!(sum(weights.iter().map(|weight| weight.natural)) <= rate("1"), true);
            for weight in &weights {
                prop_assert!(weight.weight <= cap.unwrap_or(rate("1")));
            }
            // Who scores more never weighs less, but for the units that rounding left over.
            for (a, b) in scores.iter().zip(&weights) {
                for (c, d) in scores.iter().zip(&weights) {
                    prop_assert!(a < c || b.weight.units() + count >= d.weight.units());
                }
            }
        }
    }

    #[test]
    fn the_level_is_continuous_across_every_change(
        caps in prop::collection::vec(prop::collection::vec(1i64..1_000_000, 6), 6),
        paths in prop::collection::vec(prop::collection::vec(1i64..10_000_000, 31 * 7), 6),
    ) {
        let market = walk(&caps, &paths);
        let run = run(&definition(TOP_2, "").replace("count = 2", "count = 3, buffer = 1"), &market, "2022-06-30");
        prop_assert_eq!(run.reconstitutions.len(), 6);
        prop_assert_eq!(run.divisor_changes.len(), 5);
        for change in &run.divisor_changes {
            let gap = (change.level_after.units() - change.level_before.units()).abs();
            let bound = change.level_before.units() / (2 * change.divisor_after.value().units()) + 1;
            prop_assert!(gap <= bound, "{gap} > {bound}");
        }
        for change in &run.reconstitutions {
            prop_assert_eq!(sum(change.members.iter().map(|member| member.weight)), rate("1"));
        }
        // Units for one point, at the day's prices, are worth the level.
        for (change, at) in run.reconstitutions.iter().map(|c| (c, run.levels.iter().find(|l| l.date == c.date).unwrap())) {
            let worth: f64 = change.members.iter().map(|m| m.per_index_point.to_decimal().to_f64() * m.price.to_decimal().to_f64()).sum();
            prop_assert!((worth / at.level.to_decimal().to_f64() - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn the_order_of_rows_changes_nothing(
        caps in prop::collection::vec(prop::collection::vec(1i64..20, 6), 6),
        order in Just((0..36usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let sorted: Vec<_> = (0..36).collect();
        let made = |order: &[usize]| {
            let mut market = Market::default();
            for row in order {
                let (month, coin) = (row / 6, row % 6);
                let name = AssetName::try_new(&format!("Coin {}", LETTERS[coin]), LETTERS[coin]).unwrap();
                market.add_listing(Date::constant(2022, month as i8 + 1, 1), name, listing(caps[month][coin])).unwrap();
            }
            for row in order.iter().filter(|row| **row < 6) {
                let closes = days("2021-12-01", "2022-06-30").map(|day| (day, price("2"))).collect();
                market.add_series(LETTERS[*row], Series { source: String::new(), closes });
            }
            run(&definition(TOP_2, ""), &market, "2022-06-30")
        };
        prop_assert_eq!(made(&sorted), made(&order));
    }
}

/// Prices that move every day, at six decimals.
fn walk(caps: &[Vec<i64>], paths: &[Vec<i64>]) -> Market {
    let rows: Vec<&[i64]> = caps.iter().map(Vec::as_slice).collect();
    let mut market = market(&rows, "");
    for (letter, path) in LETTERS.iter().zip(paths) {
        let closes = days("2021-12-01", "2022-06-30").zip(path.iter().cycle());
        let closes = closes
            .map(|(day, millionths)| (day, Price::from_units(i128::from(*millionths) * 10i128.pow(12))));
        market.add_series(*letter, Series { source: String::new(), closes: closes.collect() });
    }
    market
}
