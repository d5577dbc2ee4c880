"""A basket of ten assets over five years of exchange sessions, beside numpy, vectorbt and bt, and beside the exact NAV.

  basket_peers.py PEER_FOLDER make  GIVEN.json              writes the market and the parameters
  basket_peers.py PEER_FOLDER judge GIVEN.json OURS.json    measures the peers and prints the table

The market is that of the peers' own script (seed 20240111), on the sessions of the New York exchange only, prices at eight
decimals, rebalanced on the first session of each month at its close. The exact NAV is the same rule in 50-digit decimals; growth
is that from after the first purchase, which costs nothing in a fund that is seeded.
"""
import json
import sys
import time
from decimal import Decimal, getcontext

import numpy as np
import pandas as pd

sys.path.insert(0, sys.argv[1])
import baseline_backtest as peers  # noqa: E402

SINGLE = 10 * 10 + 2
HOLIDAYS = {
    "2019-01-01", "2019-01-21", "2019-02-18", "2019-04-19", "2019-05-27", "2019-07-04", "2019-09-02", "2019-11-28", "2019-12-25",
    "2020-01-01", "2020-01-20", "2020-02-17", "2020-04-10", "2020-05-25", "2020-07-03", "2020-09-07", "2020-11-26", "2020-12-25",
    "2021-01-01", "2021-01-18", "2021-02-15", "2021-04-02", "2021-05-31", "2021-07-05", "2021-09-06", "2021-11-25", "2021-12-24",
    "2022-01-17", "2022-02-21", "2022-04-15", "2022-05-30", "2022-06-20", "2022-07-04", "2022-09-05", "2022-11-24", "2022-12-26",
    "2023-01-02", "2023-01-16", "2023-02-20", "2023-04-07", "2023-05-29", "2023-06-19", "2023-07-04", "2023-09-04", "2023-11-23",
    "2023-12-25", "2024-01-01",
}


def sessions():
    prices, cap = peers.make_data()
    is_session = [day.dayofweek < 5 and str(day.date()) not in HOLIDAYS for day in prices.index]
    return prices[is_session].round(8), peers.params(cap)


def make(path):
    prices, runs = sessions()
    one = 10**18
    given = {"dates": [str(day.date()) for day in prices.index], "assets": list(prices.columns), "single": SINGLE}
    given["prices"] = [[f"{price:.8f}" for price in row] for row in prices.values]
    given["runs"] = []
    for weights, fee in runs:
        units = [int(Decimal(float(weight)) * one) for weight in weights]
        units[0] += one - sum(units)
        text = [str(Decimal(unit).scaleb(-18)) for unit in units]
        given["runs"].append({"weights": [f"{Decimal(t):f}" for t in text], "cost_bps": f"{fee * 1e4:g}"})
    json.dump(given, open(path, "w"))


def exact(given, run, mask):
    """The last NAV over the first, to fifty digits."""
    getcontext().prec = 50
    weights = [Decimal(weight) for weight in run["weights"]]
    fee = Decimal(run["cost_bps"]) / 10_000
    units, first = None, None
    for row, trades in zip(given["prices"], mask):
        prices = [Decimal(price) for price in row]
        if units is None:
            units, first = [weight / price for weight, price in zip(weights, prices)], Decimal(1)
        elif trades:
            held = [unit * price for unit, price in zip(units, prices)]
            whole = sum(held)
            net = whole
            for _ in range(60):
                after = whole - fee * sum(abs(weight * net - value) for weight, value in zip(weights, held))
                if abs(after - net) < Decimal(10) ** -40:
                    break
                net = after
            units = [weight * net / price for weight, price in zip(weights, prices)]
    last = [Decimal(price) for price in given["prices"][-1]]
    return float(sum(unit * price for unit, price in zip(units, last)) / first)


def warm(work, rounds):
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2], result


def judge(path, ours_path):
    given, ours = json.load(open(path)), json.load(open(ours_path))
    prices, runs = sessions()
    mask = peers.reb_mask(prices.index)
    truth = np.array([exact(given, run, mask) for run in given["runs"]])
    table = prices.values
    rows = [("strongroom, whole ledger kept", ours["one_s"], ours["sweep_s"], np.array(ours["growth"]))]

    def grown(navs):
        return np.array([nav[-1] / nav[0] for nav in navs])

    one, _ = warm(lambda: peers.run_numpy(table, mask, *runs[SINGLE]), 9)
    many, navs = warm(lambda: [peers.run_numpy(table, mask, *run) for run in runs], 3)
    rows.append(("numpy, fee-exact loop", one, many, grown(navs)))
    weights, fees = np.array([run[0] for run in runs]), np.array([run[1] for run in runs])
    try:
        single = (weights[SINGLE : SINGLE + 1], fees[SINGLE : SINGLE + 1])
        peers.run_vbt(prices, *single, mask).value()
        peers.run_vbt(prices, weights, fees, mask).value()
        one, _ = warm(lambda: peers.run_vbt(prices, *single, mask).value(), 5)
        many, navs = warm(lambda: peers.run_vbt(prices, weights, fees, mask).value(), 3)
        rows.append(("vectorbt, warm", one, many, grown(np.asarray(navs).T)))
    except ImportError as error:
        print(f"vectorbt: {error}")
    try:
        def run_bt(weights, fee):
            test = peers.run_bt(prices, weights, fee, mask)
            test.run()
            return test.strategy.values.values[1:]

        one, _ = warm(lambda: run_bt(*runs[SINGLE]), 3)
        sample = list(range(0, len(runs), 21))  # every cost level comes up
        start = time.perf_counter()
        navs = [run_bt(*runs[run]) for run in sample]
        many = (time.perf_counter() - start) * len(runs) / len(sample)
        full = np.full(len(runs), np.nan)
        full[sample] = grown(navs)
        rows.append((f"bt, {len(sample)} runs scaled to {len(runs)}", one, many, full))
    except ImportError as error:
        print(f"bt: {error}")
    print(f"{'how':34} {'one run ms':>11} {'sweep s':>9} {'farthest from exact, bp':>24}")
    for name, one, many, growth in rows:
        off = np.nanmax(np.abs(growth / truth - 1)) * 1e4
        print(f"{name:34} {1e3 * one:11.1f} {many:9.2f} {off:24.2e}")


if sys.argv[2] == "make":
    make(sys.argv[3])
else:
    judge(sys.argv[3], sys.argv[4])
