//! A fund in pictures: the sections that the reports of `backtest` and `demo` share.

use crate::commands::statement::{lines_of, rows_of};
use crate::commands::{money, price, shares};
use crate::failure::Failure;
use crate::performance::{Performance, benchmark, closes_beside_navs, navs};
use std::collections::BTreeMap;
use strongroom_backtest::FlowRow;
use strongroom_engine::FundState;
use strongroom_engine::statement::{Statement, roll_forward_of};
use strongroom_fund::definition::FeeAccrual;
use strongroom_report::{Chart, Emphasis, Figure, Mark, Section, Table, Unit};
use strongroom_units::time::Date;
use strongroom_units::{Money, Price, Symbol};

/// What a fact sheet is drawn from.
pub(crate) struct FactSheet<'a> {
    pub state: &'a FundState,
    pub statement: &'a Statement,
    pub performance: &'a Performance,
    pub market: &'a BTreeMap<Date, Price>,
    /// Levels of the index that a basket follows; empty for a fund of one asset.
    pub levels: &'a BTreeMap<Date, Price>,
    pub flows: &'a [FlowRow],
}

impl FactSheet<'_> {
    /// Every section, in reading order.
    pub fn sections(&self) -> Result<Vec<Section>, Failure> {
        let mut sections = vec![self.at_a_glance()?, self.nav_and_benchmark()];
        if !self.market.is_empty() {
            sections.push(self.premium()?);
        }
        sections.extend(self.life_sections()?);
        let holdings = self.holdings_and_flows()?;
        if !holdings.blocks.is_empty() {
            sections.push(holdings);
        }
        sections.extend([self.fees()?, self.statistics(), self.statements()?]);
        Ok(sections)
    }

    fn period(&self) -> (Date, Date) {
        (self.statement.from, self.statement.through)
    }

    fn asset(&self) -> Option<Symbol> {
        self.state.definition().assets.first().map(|asset| asset.symbol)
    }

    fn at_a_glance(&self) -> Result<Section, Failure> {
        let mut figures = Vec::new();
        if let Some(sheet) = &self.statement.assets_and_liabilities {
            let detail = format!("struck {}", sheet.as_of);
            figures.push(
                Figure::new("NAV per share", format!("${}", price(sheet.nav_per_share)?)).detail(detail),
            );
            figures.push(Figure::new("Net assets", short_money(sheet.net_assets)));
            figures.push(
                Figure::new("Shares outstanding", shares(sheet.shares_outstanding)?)
                    .detail("at the strike, before the day's orders"),
            );
        }
        if let [_, _, ..] = self.state.definition().assets.as_slice() {
            let held = self.state.assets_to_price()?.len();
            let traded = self.statement.roll_forwards.len();
            figures.push(
                Figure::new("Coins held", held.to_string()).detail(format!("of {traded} held in the period")),
            );
        } else if let Some(position) = self.state.position() {
            let detail = format!("{} contracts, after the last day's trades", position.contracts);
            figures.push(Figure::new("Exposure", short_money(position.notional()?)).detail(detail));
        } else if let Some(asset) = self.asset() {
            let held = roll_forward_of(self.state, asset, self.statement.from, self.statement.through)?.end;
            let coins = held.quantity.to_decimal().to_display(2)?;
            figures.push(
                Figure::new("Coins held", format!("{coins} {asset}")).detail("after the last day's orders"),
            );
        }
        let fund = self.performance;
        figures.push(Figure::new("Return of NAV", percent(fund.total_return)).detail(self.span()));
        figures.push(Figure::new("Return of the benchmark", percent(fund.benchmark_total_return)));
        figures.push(
            Figure::new("Tracking difference", percent(fund.tracking_difference))
                .detail("fund less benchmark"),
        );
        Ok(Section::new("At a glance").figures(figures))
    }

    fn span(&self) -> String {
        match (self.performance.from, self.performance.to) {
            (Some(from), Some(to)) => format!("{from} to {to}"),
            _ => "no NAV in the period".to_owned(),
        }
    }

    fn nav_and_benchmark(&self) -> Section {
        let (fund, bench) =
            (navs(self.state, self.period()), benchmark(self.state, self.period(), self.levels));
        let definition = self.state.definition();
        let name = definition
            .benchmark
            .at(self.statement.from)
            .map_or("benchmark", |benchmark| benchmark.id.as_str());
        let difference = fund.iter().zip(&bench).filter_map(|((date, nav), (_, level))| {
            let (first_nav, first_level) = (fund.first()?.1, bench.first()?.1);
            Some((*date, nav / first_nav - level / first_level))
        });
        let growth = Chart::new("Growth of 100", Mark::Line, Unit::Number { decimals: 2 })
            .series(definition.id.to_string(), of_100(&fund))
            .series(name, of_100(&bench))
            .description("NAV per share and the benchmark, both 100 at the first strike of the period. The two lines part only by fees and cash.");
        let difference = Chart::new("Tracking difference", Mark::Line, Unit::Percent { decimals: 2 })
            .series("difference", difference)
            .description("Return of NAV since the first strike, less the return of the benchmark. The sponsor fee pulls it down day by day.");
        let nav = Chart::new("NAV per share", Mark::Area, Unit::Money { symbol: "$" })
            .series(definition.id.to_string(), fund.clone())
            .description("At each strike, before rounding to cents.");
        Section::new("NAV and benchmark").chart(growth).chart(nav).chart(difference)
    }

    fn premium(&self) -> Result<Section, Failure> {
        let sessions = closes_beside_navs(self.state, self.period(), self.market);
        let premiums = sessions.iter().map(|session| {
            (session.date, session.close.to_decimal().to_f64() / session.nav.to_decimal().to_f64() - 1.0)
        });
        let chart = Chart::new("Premium and discount", Mark::Bars, Unit::Percent { decimals: 2 })
            .series("close ÷ NAV − 1", premiums)
            .description("The market close of the shares against the NAV of the same session.");
        let mut section = Section::new("Premium and discount").chart(chart);
        if let Some(premium) = &self.performance.premium {
            let share = |count: usize| percent(Some(count as f64 / premium.sessions as f64));
            let mut table = Table::new("Days, counted after rounding to a hundredth of a per cent")
                .left("")
                .right("days")
                .right("share");
            for (name, count) in [
                ("at a premium", premium.at_premium),
                ("at a discount", premium.at_discount),
                ("at NAV", premium.at_nav),
                ("within 0.5 % of NAV", premium.within_half_percent),
            ] {
                table.push(Emphasis::None, [name.to_owned(), count.to_string(), share(count)]);
            }
            table.push(Emphasis::Strong, ["all".to_owned(), premium.sessions.to_string(), String::new()]);
            section = section.table(table);
        }
        Ok(section)
    }

    fn holdings_and_flows(&self) -> Result<Section, Failure> {
        let mut section = Section::new("Holdings and flows");
        for asset in &self.state.definition().assets {
            let rows = self.statement.holdings.iter().filter(|row| row.asset == asset.symbol);
            if rows.clone().next().is_none() || self.state.position().is_some() {
                continue;
            }
            let chart = Chart::new(
                format!("{} held", asset.name),
                Mark::Area,
                Unit::Coins { symbol: asset.symbol.to_string() },
            )
            .series(asset.symbol.to_string(), rows.map(|row| (row.date, row.owned.to_decimal().to_f64())))
            .description("Coins owned at each strike: vault, trading balance and receivable, less payable.");
            section = section.chart(chart);
        }
        if !self.flows.is_empty() {
            let (from, to) = self.period();
            let within = self.flows.iter().filter(|row| from <= row.date && row.date <= to);
            let flows = Chart::new("Net creations and redemptions", Mark::Bars, Unit::Money { symbol: "$" })
                .series("net flow", within.map(|row| (row.date, row.flow.to_decimal().to_f64())))
                .description("Each day's flow became one cash order in whole baskets; what was left over was carried to the next day.");
            section = section.chart(flows);
        }
        Ok(section)
    }

    fn fees(&self) -> Result<Section, Failure> {
        match self.state.definition().fee.accrual {
            FeeAccrual::Money => self.fees_in_money(),
            FeeAccrual::Coins { .. } => Ok(self.fees_in_coins()),
        }
    }

    fn fees_in_coins(&self) -> Section {
        let lead =
            "The fee accrues in coins on every calendar day and is paid in coins: none are sold for it.";
        let charts = self.state.definition().assets.iter().map(|asset| {
            let rows = self.statement.holdings.iter().filter(|row| row.asset == asset.symbol);
            Chart::new(
                format!("{} accrued for the sponsor fee and unpaid", asset.name),
                Mark::Area,
                Unit::Coins { symbol: asset.symbol.to_string() },
            )
            .series("payable", rows.map(|row| (row.date, row.accrued_fee.to_decimal().to_f64())))
            .description("It grows with every calendar day, and falls when coins are paid out.")
        });
        charts.fold(Section::new("Fees").lead(lead), Section::chart)
    }

    fn fees_in_money(&self) -> Result<Section, Failure> {
        let mut total = Money::ZERO;
        let mut cumulative = Vec::new();
        for nav in &self.statement.navs {
            total = total.try_add(nav.fee)?;
            cumulative.push((nav.date, total.to_decimal().to_f64()));
        }
        let accrued = self.statement.navs.iter().map(|nav| (nav.date, nav.accrued_fee.to_decimal().to_f64()));
        let unpaid = Chart::new("Sponsor fee accrued and unpaid", Mark::Area, Unit::Money { symbol: "$" })
            .series("payable", accrued)
            .description("It grows at each strike by the calendar days since the last one, and falls when coins are sold to pay it.");
        let all = Chart::new("Sponsor fee since the start", Mark::Line, Unit::Money { symbol: "$" })
            .series("accrued", cumulative)
            .description("All fee accrued in the period, paid or not.");
        Ok(Section::new("Fees")
            .lead(format!("{} accrued in the period.", short_money(total)))
            .chart(unpaid)
            .chart(all))
    }

    fn statistics(&self) -> Section {
        let fund = self.performance;
        let mut table =
            Table::new("Return, risk and tracking of NAV").left("figure").right("value").left("how");
        let mut row =
            |name: &str, value: String, how: &str| table.push(Emphasis::None, [name, value.as_str(), how]);
        row("total return", percent(fund.total_return), "last NAV ÷ first NAV − 1");
        row("compound annual growth", percent(fund.compound_annual_growth), "only for a year or more");
        let how = |figure: &Option<crate::performance::Figure>| {
            figure.as_ref().map_or("", |figure| figure.annualisation)
        };
        let value = |figure: &Option<crate::performance::Figure>| figure.as_ref().map(|figure| figure.value);
        row("volatility", percent(value(&fund.volatility)), how(&fund.volatility));
        row("Sharpe ratio", ratio(value(&fund.sharpe_ratio)), how(&fund.sharpe_ratio));
        row("Sortino ratio", ratio(value(&fund.sortino_ratio)), how(&fund.sortino_ratio));
        let fall = fund.max_drawdown.as_ref();
        let between = fall.map(|fall| format!("{} to {}", fall.peak, fall.trough)).unwrap_or_default();
        row("maximum drawdown", percent(fall.map(|fall| fall.depth)), &between);
        row("beta to the benchmark", ratio(fund.beta), "daily returns of sessions");
        row("tracking difference", percent(fund.tracking_difference), "fund less benchmark, whole period");
        row("tracking error", percent(value(&fund.tracking_error)), how(&fund.tracking_error));
        Section::new("Statistics").table(table).note(
            "Risk-free rate and target are zero. A figure that the period is too short for is left out.",
        )
    }

    fn statements(&self) -> Result<Section, Failure> {
        let mut section = Section::new("Statements");
        if let Some(sheet) = &self.statement.assets_and_liabilities {
            let mut table = Table::new(format!("Assets and liabilities at the strike of {}", sheet.as_of))
                .left("")
                .right("USD");
            for (name, value) in lines_of(sheet)? {
                let strong = matches!(name, "total assets" | "total liabilities" | "net assets");
                table.push(if strong { Emphasis::Strong } else { Emphasis::None }, [name.to_owned(), value]);
            }
            section = section.table(table);
        }
        for rolled in &self.statement.roll_forwards {
            let caption = format!(
                "Roll-forward of {}, {} to {}",
                rolled.asset, self.statement.from, self.statement.through
            );
            let mut table = Table::new(caption)
                .left("")
                .right("coins")
                .right("cost")
                .right("fair value")
                .right("realised gain");
            for row in rows_of(rolled)? {
                let strong = row.first().is_some_and(|line| line == "begin" || line == "end");
                table.push(if strong { Emphasis::Strong } else { Emphasis::None }, row);
            }
            section = section.table(table).note(if rolled.foots {
                "It foots in coins and in money: begin + rows = end."
            } else {
                "It does not foot: this is a fault of the program."
            });
        }
        Ok(section.table(self.every_nav()?))
    }

    /// A fee in coins is a liability of its own kind: its two columns of money would be zero on every day.
    fn every_nav(&self) -> Result<Table, Failure> {
        let in_money = matches!(self.state.definition().fee.accrual, FeeAccrual::Money);
        let mut table = Table::new("Every NAV of the period, in USD")
            .left("date")
            .right("NAV per share")
            .right("net assets")
            .right("shares");
        if in_money {
            table = table.right("fee").right("fee payable");
        }
        for nav in &self.statement.navs {
            let mut row = vec![
                nav.date.to_string(),
                money(nav.nav_per_share_published)?,
                money(nav.net_assets)?,
                shares(nav.shares)?,
            ];
            if in_money {
                row.extend([money(nav.fee)?, money(nav.accrued_fee)?]);
            }
            table.push(Emphasis::None, row);
        }
        Ok(table)
    }
}

fn of_100(series: &[(Date, f64)]) -> Vec<(Date, f64)> {
    let first = series.first().map_or(1.0, |(_, value)| *value);
    series.iter().map(|(date, value)| (*date, 100.0 * value / first)).collect()
}

/// A fraction as a percentage with two decimals; a dash when there is none.
pub(crate) fn percent(fraction: Option<f64>) -> String {
    fraction.map_or_else(|| "–".to_owned(), |fraction| format!("{:.2} %", 100.0 * fraction))
}

fn ratio(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"))
}

/// Money for a headline: millions and billions with two decimals.
pub(crate) fn short_money(amount: Money) -> String {
    let value = amount.to_decimal().to_f64();
    match value.abs() {
        size if size >= 1e9 => format!("${:.2}bn", value / 1e9),
        size if size >= 1e6 => format!("${:.2}m", value / 1e6),
        _ => format!("${value:.2}"),
    }
}
