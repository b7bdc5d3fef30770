"""Whole runs: ten million flights from Parquet to Parquet, filtered or grouped, by us, DataFusion and polars.

Cost model, by which to read the numbers:

    on one processor = read + decode + job + encode + write, whoever does it
    on two           = the slowest thread of these, as long as there is a processor for each

Everybody is a process of its own, and they take turns, each round in another order. One arm is there twice: what the two differ by is the
noise floor. `run.py FLIGHTS FOLDER PARSHALL`: the file of a year, where to put what is made, and our program.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 10_000_000
ROUNDS = int(os.environ.get("ROUNDS", 7))
JOBS = ["filter", "group"]
TRANSFORMS = {
    "filter": """
[transform.late]
component = "std:filter"
inputs = ["flights"]
instances = {instances}
config = {{ where = "dep_delay > 15" }}

[load.file]
inputs = ["late"]
""",
    "group": """
[transform.flown]
component = "std:filter"
inputs = ["flights"]
instances = {instances}
config = {{ where = "air_time IS NOT NULL AND distance > 500" }}

[transform.groups]
component = "std:aggregate"
inputs = ["flown"]
config.group_by = ["carrier", "origin"]
config.aggregates = {{ flights = "count()", miles = "sum(distance)", departure_delay = "mean(dep_delay)", latest = "max(arr_delay)" }}

[load.file]
inputs = ["groups"]
""",
}
# Others see for themselves which columns a query needs.
COLUMNS = {"filter": "", "group": ', columns = ["carrier", "origin", "air_time", "distance", "dep_delay", "arr_delay"]'}

# Who, with how many threads, partitions or instances, on how many processors. The first is what others are compared with.
ARMS = [
    ("DataFusion", "datafusion", 1, 1),
    ("polars", "polars", 1, 1),
    ("Parshall", "parshall", 1, 1),
    ("Parshall, the same again", "parshall", 1, 1),
    ("DataFusion, 2 partitions", "datafusion", 2, 2),
    ("polars, 2 threads", "polars", 2, 2),
    ("Parshall, 1 instance", "parshall", 1, 2),
    ("Parshall, 2 instances", "parshall", 2, 2),
]
OURS, AGAIN = 2, 3


def main():
    flights, folder, parshall = (Path(word).resolve() for word in sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "flights-10m.parquet"
    if not source.exists():
        replicate(flights, source)
    for job in JOBS:
        measure(job, source, folder, parshall)


def replicate(flights, source):
    """The year again and again until there are enough, in row groups of the size that Parquet's writers have by default."""
    year = pq.read_table(flights)
    table = pa.concat_tables([year] * (ROWS // len(year) + 1)).slice(0, ROWS)
    pq.write_table(table, source.with_suffix(".new"), compression="snappy", row_group_size=1 << 20)
    source.with_suffix(".new").rename(source)


def measure(job, source, folder, parshall):
    took = [[] for _ in ARMS]
    for round_ in range(-1, ROUNDS):
        for arm in order(max(round_, 0), len(ARMS)):
            result = turn(ARMS[arm], job, source, folder, parshall)
            # The first is for the file to be in the system's cache, our components compiled, and answers compared.
            if round_ >= 0:
                took[arm].append(result)
        if round_ < 0:
            same(job, folder)
    print(f"\n#### {job}\n\n| | processors | seconds | × DataFusion | seconds of processor | × DataFusion |\n|---|---|---|---|---|---|")
    for arm, (name, _, _, processors) in enumerate(ARMS):
        base = next(at for at, other in enumerate(ARMS) if other[3] == processors)
        cells = [cell for what in ("seconds", "processor") for cell in cells_of(what, took[arm], took[base])]
        print(f"| {name} | {processors} | {' | '.join(cells)} |")
    ratios = [again["seconds"] / ours["seconds"] for again, ours in zip(took[AGAIN], took[OURS])]
    low, _, high = interval(ratios)
    print(f"\nnoise floor: ± {100 * max(abs(high - 1), abs(1 - low)):.1f} %; {ROUNDS} rounds", flush=True)


def cells_of(what, results, base):
    """A figure, and by round as a multiple of the other's. (Time on a processor tells what neighbours do to it, too, but less.)"""
    ratios = [result[what] / other[what] for result, other in zip(results, base)]
    return told([result[what] for result in results]), "1" if results is base else told(ratios)


def order(round_, arms):
    """As the host has it (host/src/measure/rounds.rs): everybody begins in turn, and forwards and backwards take turns."""
    backwards = (round_ // arms) % 2 == 1
    return [(arms - 1 - place + round_) % arms if backwards else (place + round_) % arms for place in range(arms)]


def turn(arm, job, source, folder, parshall):
    _, engine, threads, processors = arm
    target = out(arm, job, folder)
    target.unlink(missing_ok=True)
    pinned = ["taskset", "-c", ",".join(str(one) for one in range(processors))]
    if engine != "parshall":
        script = Path(__file__).with_name("job.py")
        told = subprocess.run([*pinned, sys.executable, script, engine, job, str(threads), source, target], check=True, stdout=subprocess.PIPE)
        return json.loads(told.stdout)
    pipeline = folder / f"{job}-{threads}.toml"
    pipeline.write_text(spec(job, threads, source, target))
    began = time.perf_counter()
    process = subprocess.Popen([*pinned, parshall, "run", pipeline, "--report", "none", "--progress", "never"])
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    assert status == 0, f"{pipeline}: {status}"
    return {"seconds": seconds, "processor": usage.ru_utime + usage.ru_stime}


def out(arm, job, folder):
    return folder / f"{job}-{arm[0].lower().replace(', ', '-').replace(' ', '-')}.parquet"


def spec(job, instances, source, target):
    return (
        f'name = "{job}"\n\n[extract.flights]\ncomponent = "std:read"\n'
        f'config = {{ path = "{source}"{COLUMNS[job]} }}\ngrants = {{ read = ["{source}"] }}\n'
        + TRANSFORMS[job].format(instances=instances)
        + f'component = "std:write"\nconfig = {{ to = "{target}", compression = "snappy" }}\ngrants = {{ write = ["{target.parent}/"] }}\n'
    )


def same(job, folder):
    """Everybody has the same rows, in whatever order."""
    tables = {}
    for arm in ARMS:
        table = pl.read_parquet(out(arm, job, folder))
        columns = [pl.col(name).dt.cast_time_unit("ms") if kind == pl.Datetime else pl.col(name) for name, kind in table.schema.items()]
        tables[arm[0]] = table.select(columns).sort(table.columns)
    first, expected = next(iter(tables.items()))
    for name, table in tables.items():
        assert table.columns == expected.columns, (name, table.columns)
        for column in expected.columns:
            ours, theirs = table[column], expected[column]
            if ours.dtype == pl.Float64:
                # Sums of floats depend on the order of rows.
                assert ((ours - theirs).abs() <= 1e-9 * theirs.abs()).all(), f"{name} and {first} differ in {column}"
            else:
                assert ours.equals(theirs), f"{name} and {first} differ in {column}"
    sizes = ", ".join(f"{name} {out(arm, job, folder).stat().st_size / 1e6:.1f} MB" for arm in ARMS if (name := arm[0]))
    print(f"{job}: {len(expected)} rows of {len(expected.columns)} columns, the same by all; {sizes}", file=sys.stderr, flush=True)


def interval(values):
    """The 95 % interval of the median by bootstrap, as host/src/measure/estimate.rs has it."""
    draws = random.Random(0x5EED)
    medians = sorted(statistics.median(draws.choices(values, k=len(values))) for _ in range(999))
    return medians[25], statistics.median(values), medians[973]


def told(values):
    low, median, high = interval(values)
    return f"{median:.2f} ({low:.2f}–{high:.2f})"


main()
