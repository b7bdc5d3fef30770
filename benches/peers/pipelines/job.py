"""One job by one of the others, in a process of its own: `job.py ENGINE JOB THREADS FROM TO`. Prints what it took, as JSON.

Seconds are those of the job alone: neither Python's start nor imports are in them.
"""

import json
import os
import resource
import sys
import time

engine, job, threads, source, target = sys.argv[1:]
os.environ["POLARS_MAX_THREADS"] = threads

QUERIES = {
    "filter": "SELECT * FROM flights WHERE dep_delay > 15",
    "group": """
        SELECT carrier, origin, count(*) AS flights, sum(distance) AS miles, avg(dep_delay) AS departure_delay, max(arr_delay) AS latest
        FROM flights WHERE air_time IS NOT NULL AND distance > 500 GROUP BY carrier, origin
    """,
}


def datafusion():
    from datafusion import SessionConfig, SessionContext

    def run():
        context = SessionContext(SessionConfig().with_target_partitions(int(threads)))
        context.register_parquet("flights", source)
        context.sql(QUERIES[job]).write_parquet(target, compression="snappy")

    return run


def polars():
    import polars as pl

    def run():
        flights = pl.scan_parquet(source)
        if job == "filter":
            answer = flights.filter(pl.col("dep_delay") > 15)
        else:
            kept = flights.filter(pl.col("air_time").is_not_null() & (pl.col("distance") > 500))
            answer = kept.group_by("carrier", "origin").agg(
                pl.len().cast(pl.Int64).alias("flights"),
                pl.col("distance").sum().alias("miles"),
                pl.col("dep_delay").mean().alias("departure_delay"),
                pl.col("arr_delay").max().alias("latest"),
            )
        answer.sink_parquet(target, compression="snappy")

    return run


def processor():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


run = {"datafusion": datafusion, "polars": polars}[engine]()
before, began = processor(), time.perf_counter()
run()
print(json.dumps({"seconds": time.perf_counter() - began, "processor": processor() - before}))
