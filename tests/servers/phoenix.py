#!/usr/bin/env python3
"""Runs the flights example with its spans sent to Arize Phoenix, reads them back from there, and compares them with those of --trace-out.

    tests/servers/install phoenix && cargo build --release && tests/servers/phoenix.py

Takes half a minute, most of it Phoenix's start. Not part of `.ci/run`: Phoenix takes 855 MB.
"""
import json, os, pathlib, signal, subprocess, sys, tempfile, time, urllib.request

here = pathlib.Path(__file__).resolve().parent
project = here.parent.parent


def spans_of(url):
    cursor, found = "", []
    while cursor is not None:
        with urllib.request.urlopen(f"{url}/v1/projects/default/spans?limit=100" + (f"&cursor={cursor}" if cursor else "")) as answer:
            page = json.load(answer)
        found += page["data"]
        cursor = page.get("next_cursor")
    return {(s["context"]["trace_id"], s["context"]["span_id"], s["name"], s["parent_id"]) for s in found}


def spans_in(path):
    found = set()
    for line in path.read_text().splitlines():
        for resource in json.loads(line)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                found |= {(s["traceId"], s["spanId"], s["name"], s.get("parentSpanId") or None) for s in scope["spans"]}
    return found


def main():
    with tempfile.TemporaryDirectory() as folder, open(pathlib.Path(folder) / "phoenix.log", "w") as log:
        server = subprocess.Popen([here / "run", "phoenix"], stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            ready = server.stdout.readline().split()
            if len(ready) != 3:
                sys.exit("Phoenix did not start: tests/servers/install phoenix")
            url, file = ready[2], pathlib.Path(folder) / "spans.jsonl"
            environment = os.environ | {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{url}/v1/traces"}
            command = [project / "target/release/parshall", "run", project / "examples/flights/pipeline.toml", "--trace-out", file]
            subprocess.run([*command, "--report", "none", "--progress", "never"], env=environment, check=True)
            written, deadline = spans_in(file), time.monotonic() + 30
            while (there := spans_of(url)) != written and time.monotonic() < deadline:
                time.sleep(0.5)
            if there != written:
                sys.exit(f"Phoenix has {len(there)} spans, the file {len(written)}; {len(there & written)} are in both")
            print(f"{len(there)} spans, all of them in Phoenix, with their names, parents and traces")
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


if __name__ == "__main__":
    main()
