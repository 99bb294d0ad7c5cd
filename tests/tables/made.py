"""Tables for the tests of scoring."""

import numpy as np
import pyarrow as pa


def orders(n: int, seed: int = 0, *, odd: int = 0) -> pa.Table:
    """Return n made-up orders, the first `odd` of which are unusual."""
    rng = np.random.default_rng(seed)
    country = rng.choice(["DE", "FR", "IT"], size=n, p=[0.7, 0.2, 0.1]).astype(object)
    amount = np.round(np.exp(rng.normal(4, 0.6, size=n)), 2)
    items = np.maximum(1, np.round(amount / 30 + rng.normal(0, 0.5, n))).astype(int)
    # All unusual in a way of their own, so that they do not hide each other.
    amount[:odd] = 25_000.0 * 3.0 ** np.arange(odd)
    country[:odd] = [f"X{letter}" for letter in "KLMNOPQR"[:odd]]
    day = np.datetime64("2026-01-01T08:00", "s") + rng.integers(0, 86_400 * 90, size=n)
    note = [None if bad else "paid" for bad in rng.random(n) < 0.2]
    return pa.table(
        {
            "order": [f"A{seed}-{place:05d}" for place in rng.permutation(n)],
            "country": country.tolist(),
            "amount": amount,
            "items": items,
            "day": day,
            "note": note,
            "currency": ["EUR"] * n,
        }
    )
