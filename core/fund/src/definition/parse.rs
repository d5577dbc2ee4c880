//! From the text of a `fund.toml` to a checked definition.

use super::raw::{Exact, RawAccrual, RawFee, RawFund, TomlDate};
use super::{
    Asset, Benchmark, CustodyAccount, CustodyKind, Dated, DefinitionError, FeeAccrual, FeePayment,
    FeeSchedule, FundDefinition, FundKind, OrderWindow, RateSource, Seed, Strike, Tolerance, Waiver,
};
use core::ops::Range;
use strongroom_units::time::Date;
use strongroom_units::{Money, Rate, Symbol};
use toml::Spanned;

pub(super) fn parse(text: &str) -> Result<FundDefinition, DefinitionError> {
    let raw: RawFund = toml::from_str(text).map_err(|error| unreadable(text, &error))?;
    Checker { text }.fund(raw)
}

pub(super) fn unreadable(text: &str, error: &toml::de::Error) -> DefinitionError {
    let message = error.message().trim().replace('\n', " ");
    let fix = if message.contains("an exact number in quotes") {
        "Write the number in quotes, like \"0.0025\": a bare float loses digits"
    } else if message.contains("expected i64") || message.contains("expected u8") {
        "Write a whole number without quotes"
    } else if message.contains("datetime") {
        "Write a date like 2024-01-11 or a time like 16:00:00, without quotes"
    } else if message.contains("missing field") {
        "Add the missing field; funds/bitcoin.toml shows every one"
    } else {
        "Correct this line; funds/bitcoin.toml shows every field"
    };
    DefinitionError::new(text, error.span(), "definition.must_be_readable", message, fix)
}

/// Knows the text, so that each refusal names its line.
pub(super) struct Checker<'a> {
    text: &'a str,
}

impl Checker<'_> {
    fn fund(&self, raw: RawFund) -> Result<FundDefinition, DefinitionError> {
        let seed = Seed {
            date: raw.seed.date.get_ref().0,
            shares: *raw.seed.shares.get_ref(),
            nav_per_share: raw.seed.nav_per_share.get_ref().0,
        };
        self.positive(raw.seed.shares.span(), i128::from(seed.shares.count()), "seed.shares")?;
        self.positive(raw.seed.nav_per_share.span(), seed.nav_per_share.units(), "seed.nav_per_share")?;
        self.named(&raw.name)?;
        if *raw.currency.get_ref() != Symbol::USD {
            let message = format!("the currency {} is not kept", raw.currency.get_ref());
            return self.refuse(
                raw.currency.span(),
                "definition.currency_must_be_usd",
                message,
                "Write \"USD\"",
            );
        }
        if !raw.calendar.is_session(seed.date) {
            let message = format!("{} is not a session of the fund's calendar", seed.date);
            let fix = "Write the date of a session";
            return self.refuse(raw.seed.date.span(), "definition.seed_date_must_be_a_session", message, fix);
        }
        let kind = *raw.kind.get_ref();
        let creation_unit = raw.creation_unit.get_ref().iter().map(|entry| {
            let unit = entry.get_ref();
            (&unit.from, *unit.shares.get_ref())
        });
        for entry in raw.creation_unit.get_ref() {
            let shares = &entry.get_ref().shares;
            self.positive(shares.span(), i128::from(shares.get_ref().count()), "creation_unit.shares")?;
        }
        let benchmark = raw.benchmark.get_ref().iter().map(|entry| {
            let named = entry.get_ref();
            (&named.from, Benchmark { id: named.id.clone(), name: named.name.clone() })
        });
        Ok(FundDefinition {
            id: raw.id,
            name: raw.name.get_ref().clone(),
            kind,
            currency: *raw.currency.get_ref(),
            assets: self.assets(kind, &raw)?,
            index: self.index(kind, &raw, seed.date)?,
            exposure: self.exposure(kind, &raw, seed.date)?,
            cash_in_lieu: self.cash_in_lieu(kind, &raw)?,
            seed,
            calendar: raw.calendar,
            strike: Strike { zone: raw.strike.zone, time: raw.strike.time.0 },
            creation_unit: self.dated("creation_unit", raw.creation_unit.span(), seed.date, creation_unit)?,
            benchmark: self.dated("benchmark", raw.benchmark.span(), seed.date, benchmark)?,
            custody: self.custody(kind, &raw, seed.date)?,
            order_windows: self.order_windows(&raw)?,
            rates: self.rates(&raw)?,
            tolerance: self.tolerance(&raw)?,
            cost_method: raw.cost_method,
            distribution: self.distribution(&raw)?,
            staking: self.staking(&raw, seed.date)?,
            gifts: self.gifts(&raw)?,
            shares_most: self.shares_most(&raw)?,
            fee: self.fee(raw.fee)?,
        })
    }

    fn assets(&self, kind: FundKind, raw: &RawFund) -> Result<Vec<Asset>, DefinitionError> {
        let list = raw.asset.get_ref();
        self.as_many_as_its_kind(kind, raw)?;
        let mut assets: Vec<Asset> = Vec::with_capacity(list.len());
        for entry in list {
            let asset = entry.get_ref();
            let symbol = *asset.symbol.get_ref();
            let taken =
                symbol == *raw.currency.get_ref() || assets.iter().any(|other| other.symbol == symbol);
            if taken {
                let message = format!("the symbol {symbol} is already used");
                return self.refuse(
                    asset.symbol.span(),
                    "definition.asset_symbols_must_differ",
                    message,
                    "Name each asset once",
                );
            }
            assets.push(Asset { symbol, name: asset.name.clone(), scale: asset.scale });
        }
        Ok(assets)
    }

    fn fee(&self, raw: RawFee) -> Result<FeeSchedule, DefinitionError> {
        let rates = raw.rate.get_ref().iter().map(|entry| {
            let rate = entry.get_ref();
            (&rate.from, rate.annual.get_ref().0)
        });
        for entry in raw.rate.get_ref() {
            self.annual_rate(&entry.get_ref().annual)?;
        }
        let rate = self.dated_from_anywhere("fee.rate", raw.rate.span(), rates)?;
        let accrual = match (raw.accrual, &raw.coin_decimals) {
            (RawAccrual::Money, None) => FeeAccrual::Money,
            (RawAccrual::Money, Some(decimals)) => {
                let message = "coin_decimals is given, but the fee accrues in money";
                let fix = "Remove coin_decimals, or write accrual = \"coins\"";
                return self.refuse(
                    decimals.span(),
                    "definition.coin_decimals_must_go_with_coins",
                    message,
                    fix,
                );
            }
            (RawAccrual::Coins, decimals) => {
                FeeAccrual::Coins { decimals: decimals.as_ref().map_or(8, |decimals| *decimals.get_ref()) }
            }
        };
        let waivers = raw
            .waiver
            .iter()
            .map(|entry| self.waiver(entry, &rate, accrual))
            .collect::<Result<Vec<_>, _>>()?;
        self.waivers_do_not_overlap(&raw, &waivers)?;
        let session = raw.payment.session;
        if !(1..=20).contains(session.get_ref()) {
            let message = format!("session {} is outside 1 to 20", session.get_ref());
            let fix = "Write the number of the session on which the fee is paid, like 10";
            return self.refuse(session.span(), "definition.payment_session_must_be_1_to_20", message, fix);
        }
        let payment = FeePayment { every: raw.payment.every, session: *session.get_ref() };
        Ok(FeeSchedule { accrual, day_count: raw.day_count, rate, waivers, payment })
    }

    fn waiver(
        &self,
        entry: &Spanned<super::raw::RawWaiver>,
        rate: &Dated<Rate>,
        accrual: FeeAccrual,
    ) -> Result<Waiver, DefinitionError> {
        let raw = entry.get_ref();
        let waiver = Waiver {
            from: raw.from.get_ref().0,
            through: raw.through.get_ref().0,
            annual: raw.annual.get_ref().0,
            first: raw.first.as_ref().map(|first| first.get_ref().0),
        };
        self.annual_rate(&raw.annual)?;
        if waiver.through < waiver.from {
            let message =
                format!("the waiver ends on {} before it begins on {}", waiver.through, waiver.from);
            let fix = "Write `through` on or after `from`; the last day is included";
            return self.refuse(
                raw.through.span(),
                "definition.waiver_must_end_after_it_begins",
                message,
                fix,
            );
        }
        let begins_during = |(from, _): &&(Date, Rate)| waiver.from < *from && *from <= waiver.through;
        let mut later = rate.entries().iter().filter(begins_during);
        if rate.at(waiver.from).is_none_or(|full| waiver.annual >= *full)
            || later.any(|(_, full)| waiver.annual >= *full)
        {
            let message = format!("the waived rate {} does not lower the fee on each day", waiver.annual);
            let fix = "Write a rate below fee.rate, or remove the waiver";
            return self.refuse(raw.annual.span(), "definition.waiver_must_lower_the_fee", message, fix);
        }
        let Some(first) = &raw.first else { return Ok(waiver) };
        if first.get_ref().0 <= Money::ZERO {
            let message = "the waived tranche is not above zero";
            let fix = "Write the tranche in the fund's currency, like \"5_000_000_000\", or remove `first`";
            return self.refuse(first.span(), "definition.waiver_tranche_must_be_positive", message, fix);
        }
        if accrual != FeeAccrual::Money {
            let message = "a tranche in money needs a fee in money";
            let fix = "Remove `first`, or write accrual = \"money\"";
            return self.refuse(first.span(), "definition.waiver_tranche_must_go_with_money", message, fix);
        }
        Ok(waiver)
    }

    fn waivers_do_not_overlap(&self, raw: &RawFee, waivers: &[Waiver]) -> Result<(), DefinitionError> {
        for (index, (later, entry)) in waivers.iter().zip(&raw.waiver).enumerate() {
            let overlaps = |earlier: &&Waiver| earlier.from <= later.through && later.from <= earlier.through;
            if let Some(earlier) = waivers.iter().take(index).find(overlaps) {
                let message = format!("this waiver overlaps the one from {}", earlier.from);
                let fix = "Let one waiver end before the next begins";
                let span = entry.get_ref().from.span();
                return self.refuse(span, "definition.waivers_must_not_overlap", message, fix);
            }
        }
        Ok(())
    }

    fn custody(
        &self,
        kind: FundKind,
        raw: &RawFund,
        seed: Date,
    ) -> Result<Vec<CustodyAccount>, DefinitionError> {
        let given = raw.custody.as_ref().map_or(&[][..], |custody| custody.get_ref().as_slice());
        let accounts: Vec<CustodyAccount> = given
            .iter()
            .map(|entry| {
                let account = entry.get_ref();
                CustodyAccount {
                    account: account.account,
                    custodian: account.custodian.clone(),
                    from: account.from.0,
                }
            })
            .collect();
        if kind == FundKind::Derivatives {
            return Ok(accounts);
        }
        let place = raw.custody.as_ref().map_or(raw.kind.span(), Spanned::span);
        for (kind, name) in [(CustodyKind::Vault, "vault"), (CustodyKind::Trading, "trading")] {
            if !accounts.iter().any(|account| account.account == kind && account.from <= seed) {
                let message = format!("no {name} account is open on the seed date");
                let fix = "Write one [[custody]] for \"vault\" and one for \"trading\"";
                return self.refuse(place, "definition.custody_must_have_both_accounts", message, fix);
            }
        }
        Ok(accounts)
    }

    fn order_windows(&self, raw: &RawFund) -> Result<Vec<OrderWindow>, DefinitionError> {
        let mut windows: Vec<OrderWindow> = Vec::new();
        for entry in raw.order_window.get_ref() {
            let raw_window = entry.get_ref();
            let window = OrderWindow {
                from: raw_window.from.get_ref().0,
                method: raw_window.method,
                cut_off: raw_window.cut_off.get_ref().0,
                sessions_before: *raw_window.sessions_before.get_ref(),
            };
            if windows.iter().any(|other| other.method == window.method && other.from == window.from) {
                let message = format!("two windows for {} orders begin on {}", window.method, window.from);
                let fix = "Keep one window for each method and date";
                return self.refuse(
                    raw_window.from.span(),
                    "definition.order_windows_must_differ",
                    message,
                    fix,
                );
            }
            if window.sessions_before == 0 && window.cut_off >= raw.strike.time.0 {
                let message =
                    format!("the cut-off {} on the trade date is not before the strike", window.cut_off);
                let fix = "Write a cut-off before the strike: later orders would deal at a known price";
                return self.refuse(
                    raw_window.cut_off.span(),
                    "definition.cut_off_must_be_before_strike",
                    message,
                    fix,
                );
            }
            if window.sessions_before > 5 {
                let message = format!("a cut-off {} sessions before the trade date", window.sessions_before);
                let fix = "Write at most 5";
                return self.refuse(
                    raw_window.sessions_before.span(),
                    "definition.cut_off_must_be_within_five_sessions",
                    message,
                    fix,
                );
            }
            windows.push(window);
        }
        if windows.is_empty() {
            let fix = "Write one [[order_window]] for \"cash\" or \"in-kind\" orders";
            let code = "definition.order_window_must_exist";
            return self.refuse(raw.order_window.span(), code, "the fund takes no orders", fix);
        }
        Ok(windows)
    }

    fn rates(&self, raw: &RawFund) -> Result<Vec<RateSource>, DefinitionError> {
        let mut rates: Vec<RateSource> = Vec::new();
        for entry in &raw.rate {
            let source = entry.get_ref();
            let asset = *source.asset.get_ref();
            if !raw.asset.get_ref().iter().any(|known| *known.get_ref().symbol.get_ref() == asset) {
                let message = format!("the fund does not hold {asset}");
                let fix = "Write the symbol of an [[asset]] of this fund";
                return self.refuse(source.asset.span(), "definition.rate_asset_must_be_held", message, fix);
            }
            let is_pair =
                source.pair.get_ref().split_once('-').is_some_and(|(base, quote)| {
                    !base.is_empty() && !quote.is_empty() && !quote.contains('-')
                });
            if !is_pair {
                let message = format!("`{}` is not a pair", source.pair.get_ref());
                let fix = "Write what is priced like \"BTC-USD\"";
                return self.refuse(source.pair.span(), "definition.rate_pair_must_be_a_pair", message, fix);
            }
            if source.methodology.get_ref().trim().is_empty() {
                let fix = "Write the id of a methodology, like \"cf-brr\"";
                let code = "definition.rate_methodology_must_be_named";
                return self.refuse(source.methodology.span(), code, "the methodology has no name", fix);
            }
            if rates.iter().any(|other| other.asset == asset && other.from == source.from.0) {
                let message = format!("two rates of {asset} begin on {}", source.from.0);
                let fix = "Keep one rate for each asset and date";
                return self.refuse(entry.span(), "definition.rates_must_differ", message, fix);
            }
            rates.push(RateSource {
                from: source.from.0,
                asset,
                pair: source.pair.get_ref().clone(),
                methodology: source.methodology.get_ref().clone(),
            });
        }
        Ok(rates)
    }

    fn tolerance(&self, raw: &RawFund) -> Result<Tolerance, DefinitionError> {
        let jump = raw.tolerance.price_jump.get_ref().0;
        self.positive(raw.tolerance.price_jump.span(), jump.units(), "tolerance.price_jump")?;
        let unchanged = *raw.tolerance.unchanged_sessions.get_ref();
        self.positive(
            raw.tolerance.unchanged_sessions.span(),
            i128::from(unchanged),
            "tolerance.unchanged_sessions",
        )?;
        Ok(Tolerance {
            price_jump: jump,
            unchanged_sessions: unchanged,
            non_session_price: raw.tolerance.non_session_price,
        })
    }

    /// A dated list that has to be in force on the seed date.
    pub(super) fn dated<'a, T>(
        &self,
        field: &str,
        list: Range<usize>,
        seed: Date,
        entries: impl Iterator<Item = (&'a Spanned<TomlDate>, T)> + Clone,
    ) -> Result<Dated<T>, DefinitionError> {
        let first = entries.clone().next();
        let dated = self.dated_from_anywhere(field, list, entries)?;
        if let Some((from, _)) = first.filter(|_| dated.at(seed).is_none()) {
            let message =
                format!("the first {field} begins on {}, after the seed date {seed}", from.get_ref().0);
            let fix = format!("Write from = {seed} or earlier");
            return self.refuse(from.span(), "definition.dated_list_must_cover_the_seed", message, fix);
        }
        Ok(dated)
    }

    pub(super) fn dated_from_anywhere<'a, T>(
        &self,
        field: &str,
        list: Range<usize>,
        entries: impl Iterator<Item = (&'a Spanned<TomlDate>, T)> + Clone,
    ) -> Result<Dated<T>, DefinitionError> {
        let dated = entries.clone().map(|(from, value)| (from.get_ref().0, value)).collect();
        Dated::try_new(dated).map_err(|index| {
            let (span, message) = match entries.clone().nth(index) {
                None => (list, format!("the list {field} is empty")),
                Some((from, _)) => (from.span(), format!("the dates of {field} do not ascend")),
            };
            let fix = "Write the entries oldest first, each with its own `from`";
            DefinitionError::new(self.text, Some(span), "definition.dated_list_must_ascend", message, fix)
        })
    }

    fn positive(&self, span: Range<usize>, units: i128, field: &str) -> Result<(), DefinitionError> {
        if units > 0 {
            return Ok(());
        }
        let message = format!("{field} is not above zero");
        self.refuse(span, "definition.number_must_be_positive", message, "Write a number above zero")
    }

    fn annual_rate(&self, annual: &Spanned<Exact<Rate>>) -> Result<(), DefinitionError> {
        let Exact(rate) = *annual.get_ref();
        let most = Rate::from_units(10i128.pow(17)); // a tenth a year: no sponsor fee is near it
        if !rate.is_negative() && rate <= most {
            return Ok(());
        }
        let message = format!("an annual rate of {rate} is outside 0 to 0.1");
        let fix = "Write the rate as a fraction: a quarter of a per cent is \"0.0025\"";
        self.refuse(annual.span(), "definition.rate_must_be_a_fraction", message, fix)
    }

    fn named(&self, name: &Spanned<String>) -> Result<(), DefinitionError> {
        let text = name.get_ref();
        if !text.trim().is_empty() && text.chars().count() <= 120 && !text.chars().any(char::is_control) {
            return Ok(());
        }
        let fix = "Write the fund's name in 1 to 120 characters";
        self.refuse(
            name.span(),
            "definition.name_must_be_1_to_120_characters",
            "the name is empty, too long, or has a control character",
            fix,
        )
    }

    pub(super) fn refuse<T>(
        &self,
        span: Range<usize>,
        code: &'static str,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Result<T, DefinitionError> {
        Err(DefinitionError::new(self.text, Some(span), code, message, fix))
    }
}
