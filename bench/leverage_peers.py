"""Twice an index over ten years of sessions, reset daily at a cost, with funding every eight hours: ours beside vectorbt and a loop.

  leverage_peers.py OURS.json     measures the peers on our market and prints the table

vectorbt knows no leverage and no funding. So its account holds a loan that is never used up and is taken off again, and its price
is that of an index less the funding of each day: the same rule in another form. The exact growth is our rule in 50-digit decimals,
each funding rate on the position at the last close.
"""
import json
import statistics
import sys
import time
from decimal import Decimal, getcontext

import numpy as np
import pandas as pd

FACTOR = 2.0


def exact(ours):
    getcontext().prec = 50
    prices = [Decimal(price) for price in ours["prices"]]
    cost = Decimal(ours["cost_bps"]) / 10_000
    nav = Decimal(1)
    coins = 2 * nav / prices[0]
    nav -= cost * coins * prices[0]
    after_first = None
    for place in range(1, len(prices)):
        paid = sum((Decimal(rate) for rate in ours["funding"][place]), Decimal(0)) * coins * prices[place - 1]
        nav += coins * (prices[place] - prices[place - 1]) - paid
        last = nav
        wanted = 2 * nav / prices[place]
        nav -= cost * abs(wanted - coins) * prices[place]
        coins = wanted
    return last


def loop(prices, funding, cost):
    nav, last = 1.0, 1.0
    coins = FACTOR * nav / prices[0]
    nav -= cost * coins * prices[0]
    for place in range(1, len(prices)):
        nav += coins * (prices[place] - prices[place - 1]) - funding[place] * coins * prices[place - 1]
        last = nav
        wanted = FACTOR * nav / prices[place]
        nav -= cost * abs(wanted - coins) * prices[place]
        coins = wanted
    return last


def timed(work, rounds=15):
    work()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return statistics.median(times), result


def vectorbt_run(prices, funding, cost):
    import vectorbt as vbt
    from numba import njit
    from vectorbt.portfolio import nb
    from vectorbt.portfolio.enums import Direction, SizeType

    loan = 1e7
    returns = np.diff(prices) / prices[:-1] - funding[1:]
    series = pd.Series(prices[0] * np.concatenate([[1.0], np.cumprod(1.0 + returns)]))

    @njit
    def order(c, loan, cost):
        close = c.close[c.i, c.col]
        wanted = 2.0 * (c.cash_now + c.position_now * close - loan) / close  # value_now is still that of the close before
        return nb.order_nb(size=wanted, price=close, size_type=SizeType.TargetAmount, direction=Direction.Both, fees=cost)

    def run():
        book = vbt.Portfolio.from_order_func(series, order, loan, cost, init_cash=loan + 1.0, freq="D")
        return book.value()

    once, values = timed(run)
    # The last close's own trade is after the last NAV: its cost is given back.
    book = vbt.Portfolio.from_order_func(series, order, loan, cost, init_cash=loan + 1.0, freq="D")
    fees = book.orders.records["fees"]
    return once, float(values.iloc[-1]) + float(fees.iloc[-1] if hasattr(fees, "iloc") else fees[-1]) - loan


def main():
    ours = json.load(open(sys.argv[1]))
    prices = np.array([float(price) for price in ours["prices"]])
    funding = np.array([sum(float(rate) for rate in rates) for rates in ours["funding"]])
    cost = ours["cost_bps"] / 10_000
    truth = float(exact(ours))
    rows = [("Strongroom, every event and its books", ours["one_s"], ours["growth"])]
    once, growth = timed(lambda: loop(prices.tolist(), funding.tolist(), cost))
    rows.append(("a loop in Python, NAV alone", once, growth))
    try:
        rows.append(("vectorbt, warm", *vectorbt_run(prices, funding, cost)))
    except ImportError as error:
        print(f"vectorbt: {error}")
    print(f"{'how':38} {'one run ms':>11} {'growth':>12} {'from exact, bp':>15}")
    for name, once, growth in rows:
        print(f"{name:38} {1e3 * once:11.2f} {growth:12.6f} {1e4 * abs(growth / truth - 1):15.2e}")


main()
