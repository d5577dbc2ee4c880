//! The shape of a `fund.toml`, as serde reads it. Checks between fields are in `parse`.

use super::distribution::{RawDistribution, RawStaking};
use super::{
    CostMethod, CustodyKind, DayCount, FundKind, GiftPolicy, NonSessionPrice, OrderMethod, PaymentPeriod,
};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use std::fmt;
use std::str::FromStr;
use strongroom_units::time::{Calendar, Date, Time, Zone};
use strongroom_units::{Money, Rate, Scale, Shares, Symbol};
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFund {
    pub id: Symbol,
    pub name: Spanned<String>,
    #[serde(rename = "type")]
    pub kind: Spanned<FundKind>,
    pub currency: Spanned<Symbol>,
    pub calendar: Calendar,
    pub cost_method: CostMethod,
    pub asset: Spanned<Vec<Spanned<RawAsset>>>,
    pub index: Option<Spanned<RawIndex>>,
    pub exposure: Option<Spanned<super::exposure::RawExposure>>,
    #[serde(default)]
    pub cash_in_lieu: Vec<Spanned<RawCashInLieu>>,
    pub seed: RawSeed,
    pub strike: RawStrike,
    pub creation_unit: Spanned<Vec<Spanned<RawCreationUnit>>>,
    pub benchmark: Spanned<Vec<Spanned<RawBenchmark>>>,
    #[serde(default)]
    pub rate: Vec<Spanned<RawRateSource>>,
    pub fee: RawFee,
    pub custody: Option<Spanned<Vec<Spanned<RawCustody>>>>,
    pub order_window: Spanned<Vec<Spanned<RawWindow>>>,
    pub tolerance: RawTolerance,
    pub distribution: Option<RawDistribution>,
    pub staking: Option<Spanned<RawStaking>>,
    pub forks_and_airdrops: Option<Spanned<GiftPolicy>>,
    pub shares_most: Option<Spanned<Shares>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAsset {
    pub symbol: Spanned<Symbol>,
    pub name: String,
    pub scale: Scale,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawIndex {
    pub definition: Spanned<String>,
    #[serde(default)]
    pub gifts: Gifts,
    pub cost: Spanned<Vec<Spanned<RawCost>>>,
}

#[derive(Deserialize, Clone, Copy, Default)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Gifts {
    #[default]
    Leave,
    Sell,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCost {
    pub from: Spanned<TomlDate>,
    pub bps: Spanned<Exact<Rate>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCashInLieu {
    pub from: Spanned<TomlDate>,
    pub assets: Vec<Spanned<Symbol>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSeed {
    pub date: Spanned<TomlDate>,
    pub shares: Spanned<Shares>,
    pub nav_per_share: Spanned<Exact<Money>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStrike {
    pub zone: Zone,
    pub time: TomlTime,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCreationUnit {
    pub from: Spanned<TomlDate>,
    pub shares: Spanned<Shares>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBenchmark {
    pub from: Spanned<TomlDate>,
    pub id: String,
    pub name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRateSource {
    pub from: TomlDate,
    pub asset: Spanned<Symbol>,
    pub pair: Spanned<String>,
    pub methodology: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFee {
    pub accrual: RawAccrual,
    pub coin_decimals: Option<Spanned<u8>>,
    pub day_count: DayCount,
    pub rate: Spanned<Vec<Spanned<RawRate>>>,
    #[serde(default)]
    pub waiver: Vec<Spanned<RawWaiver>>,
    pub payment: RawPayment,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawAccrual {
    Money,
    Coins,
}

impl RawAccrual {
    pub(super) fn is_money(self) -> bool {
        matches!(self, Self::Money)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRate {
    pub from: Spanned<TomlDate>,
    pub annual: Spanned<Exact<Rate>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWaiver {
    pub from: Spanned<TomlDate>,
    pub through: Spanned<TomlDate>,
    pub annual: Spanned<Exact<Rate>>,
    pub first: Option<Spanned<Exact<Money>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPayment {
    pub every: PaymentPeriod,
    pub session: Spanned<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCustody {
    pub account: CustodyKind,
    pub custodian: String,
    pub from: TomlDate,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWindow {
    pub from: Spanned<TomlDate>,
    pub method: OrderMethod,
    pub cut_off: Spanned<TomlTime>,
    pub sessions_before: Spanned<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTolerance {
    pub price_jump: Spanned<Exact<Rate>>,
    pub unchanged_sessions: Spanned<u8>,
    pub non_session_price: NonSessionPrice,
}

/// A TOML local date.
#[derive(Clone, Copy)]
pub(super) struct TomlDate(pub Date);

impl<'de> Deserialize<'de> for TomlDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = toml::value::Datetime::deserialize(deserializer)?;
        let wrong =
            || de::Error::custom(format!("`{read}` is not a date; write it like 2024-01-11, without quotes"));
        let date = read.date.filter(|_| read.time.is_none()).ok_or_else(wrong)?;
        let field = |value: u8| i8::try_from(value).map_err(|_| wrong());
        let year = i16::try_from(date.year).map_err(|_| wrong())?;
        Date::new(year, field(date.month)?, field(date.day)?).map(Self).map_err(|_| wrong())
    }
}

/// A TOML local time, whole minutes or seconds.
#[derive(Clone, Copy)]
pub(super) struct TomlTime(pub Time);

impl<'de> Deserialize<'de> for TomlTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = toml::value::Datetime::deserialize(deserializer)?;
        let wrong =
            || de::Error::custom(format!("`{read}` is not a time; write it like 16:00:00, without quotes"));
        let time = read.time.filter(|_| read.date.is_none()).ok_or_else(wrong)?;
        let field = |value: u8| i8::try_from(value).map_err(|_| wrong());
        let second = field(time.second.unwrap_or(0))?;
        Time::new(field(time.hour)?, field(time.minute)?, second, 0).map(Self).map_err(|_| wrong())
    }
}

/// An exact number, written as text: a bare TOML float would already have lost digits.
#[derive(Clone, Copy)]
pub(super) struct Exact<T>(pub T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Exact<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<T>(core::marker::PhantomData<T>);
        impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
            type Value = Exact<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an exact number in quotes, like \"0.0025\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                text.replace('_', "").parse().map(Exact).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Text(core::marker::PhantomData))
    }
}
