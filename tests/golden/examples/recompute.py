#!/usr/bin/env python3
"""Computes what the examples shall give, without Parshall: DuckDB over the same data, and Python's `re` for the log.

    pip install duckdb==2.0.0
    python3 recompute.py            # writes the .csv files beside this one
    python3 recompute.py --check    # compares with them instead, and fails if they differ
"""

import csv
import datetime
import io
import json
import math
import pathlib
import re
import sys

import duckdb

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = HERE.parents[2] / "examples"

FLIGHTS = f"read_parquet('{EXAMPLES}/flights/data/flights-2013-01.parquet')"
ORDERS = f"read_csv('{EXAMPLES}/rejections/data/orders.csv')"
NORTH = f"read_csv('{EXAMPLES}/fan-in/data/north.csv', delim = ';')"
SOUTH = f"read_json('{EXAMPLES}/fan-in/data/south.jsonl')"
SALES = f"read_parquet('{EXAMPLES}/sales/data/sales.parquet')"

# name → (query, columns that order the rows)
QUERIES = {
    "flights-by-carrier": f"""
        SELECT carrier, origin, count(*) AS flights, sum(CASE WHEN arr_delay > 15 THEN 1 ELSE 0 END) AS late,
               avg(dep_delay) AS departure_delay, avg(dep_delay - arr_delay) AS made_up,
               avg(distance / (air_time / 60.0)) AS mph, max(distance) AS farthest, count(DISTINCT dest) AS destinations
        FROM {FLIGHTS} WHERE dep_time IS NOT NULL AND air_time IS NOT NULL GROUP BY ALL ORDER BY ALL""",
    "flights-cancelled": f"""
        SELECT * REPLACE (strftime(time_hour AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ') AS time_hour),
               CASE WHEN dep_time IS NULL THEN 'dep_time' ELSE 'air_time' END AS because_of
        FROM {FLIGHTS} WHERE dep_time IS NULL OR air_time IS NULL ORDER BY ALL""",
    "sales-summary": f"SELECT category, sum(value) AS total, count(*) AS sales, sum(pieces) AS pieces FROM {SALES} GROUP BY ALL ORDER BY ALL",
    "rejections-orders": f"""
        SELECT id, email, country, quantity, price, ordered_on FROM {ORDERS}
        WHERE regexp_matches(email, '^[^@ ]+@[^@ ]+\\.[a-z]+$') AND country IN ('AT', 'FR', 'GB', 'US')
              AND quantity BETWEEN 1 AND 100 AND price > 0
        QUALIFY row_number() OVER (PARTITION BY id) = 1 ORDER BY ALL""",
    "fan-in-products": f"""
        SELECT product, count(DISTINCT shop) AS shops, sum(pieces) AS pieces, sum(pieces * price) AS turnover FROM (
            SELECT 'north' AS shop, Artikel AS product, Anzahl AS pieces, Preis AS price FROM {NORTH}
            UNION ALL SELECT 'south', product, pieces, cents / 100.0 FROM {SOUTH})
        GROUP BY ALL ORDER BY ALL""",
    "access-log-by-status": """
        SELECT status, count(*) AS requests, sum(bytes) AS bytes, min(time) AS first, max(time) AS last
        FROM log GROUP BY ALL ORDER BY ALL""",
    "access-log-by-path": """
        SELECT method, path, count(*) AS requests, count(DISTINCT host) AS hosts, avg(bytes) AS mean_bytes
        FROM log GROUP BY ALL ORDER BY ALL""",
    "access-log-rejected": "SELECT line FROM no_log ORDER BY ALL",
}

LINE = re.compile(r'(\S+) (\S+) (\S+) \[([^\]]+)\] "((?:[^"\\]|\\.)*)" (\d{3}) (\d+|-) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"')


def parse(line):
    """The fields of a line in the combined log format, or nothing."""
    found = LINE.fullmatch(line)
    if not found:
        return None
    host, _, _, time, request, status, size, _, _ = found.groups()
    try:
        time = datetime.datetime.strptime(time, "%d/%b/%Y:%H:%M:%S %z").astimezone(datetime.timezone.utc)
    except ValueError:
        return None
    words = request.split(" ")
    method, path = words[:2] if len(words) == 3 else (None, None)
    return host, time.strftime("%Y-%m-%dT%H:%M:%SZ"), method, path, int(status), None if size == "-" else int(size)


def tables():
    """The log as two tables, `log` and `no_log`."""
    database = duckdb.connect()
    database.execute("CREATE TABLE log (host TEXT, time TEXT, method TEXT, path TEXT, status INTEGER, bytes BIGINT)")
    database.execute("CREATE TABLE no_log (line TEXT)")
    for line in (EXAMPLES / "access-log/data/access.log").read_text().splitlines():
        fields = parse(line)
        if fields:
            database.execute("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)", fields)
        else:
            database.execute("INSERT INTO no_log VALUES (?)", [line])
    return database


def cell(value):
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


def same(a, b):
    """Sums of floating-point numbers depend on the order of the rows, in the last digits."""
    if a == b:
        return True
    try:
        return "." in a + b and math.isclose(float(a), float(b), rel_tol=1e-9)
    except ValueError:
        return False


def main():
    database, wrong = tables(), []
    for name, query in QUERIES.items():
        result = database.execute(query)
        rows = [[column[0] for column in result.description]] + [[cell(value) for value in row] for row in result.fetchall()]
        path = HERE / f"{name}.csv"
        if "--check" not in sys.argv:
            out = io.StringIO()
            csv.writer(out, lineterminator="\n").writerows(rows)
            path.write_text(out.getvalue())
            continue
        golden = list(csv.reader(path.open(newline="")))
        if len(golden) != len(rows) or not all(len(a) == len(b) and all(map(same, a, b)) for a, b in zip(golden, rows)):
            wrong.append(name)
    sys.exit(f"not what DuckDB computes: {json.dumps(wrong)}" if wrong else None)


main()
