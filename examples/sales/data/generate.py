#!/usr/bin/env python3
"""Makes sales.parquet: a month of a shop's sales, 1,000 rows. Needs pyarrow. The same values every time.

    python3 generate.py sales.parquet
"""

import datetime
import sys

import pyarrow as pa
import pyarrow.parquet as pq

STATE = 42


def below(n):
    """A number below n, from a generator of our own: Python's may change between versions."""
    global STATE
    STATE = (STATE * 6364136223846793005 + 1442695040888963407) % 2**64
    return (STATE >> 33) % n


CATEGORIES = ["books", "games", "garden", "kitchen", "music", "toys"]
FIRST = datetime.date(2024, 3, 1)

rows = [(FIRST + datetime.timedelta(days=below(31)), CATEGORIES[below(6) * below(6) // 5], (100 + below(19900)) / 100, 1 + below(4)) for _ in range(1000)]
rows.sort(key=lambda row: row[0])
# A few sales were entered without a category, and a few without a value.
rows = [(day, None if n % 211 == 7 else category, None if n % 143 == 11 else value, pieces) for n, (day, category, value, pieces) in enumerate(rows)]
day, category, value, pieces = zip(*rows)
table = pa.table({"id": pa.array(range(1, 1001), pa.int64()), "day": pa.array(day, pa.date32()), "category": pa.array(category, pa.string()),
                  "value": pa.array(value, pa.float64()), "pieces": pa.array(pieces, pa.int32())})
pq.write_table(table, sys.argv[1], row_group_size=250, compression="zstd")
