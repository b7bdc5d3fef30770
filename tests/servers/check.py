#!/usr/bin/env python3
"""Whether the servers do what tests expect of them: starts each by `run`, sends it something and reads it back.

Takes the Python that `install` made: $PARSHALL_SERVERS/python/bin/python tests/servers/check.py [NAME…]
"""

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import prometheus_client
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

HERE = Path(__file__).parent
SCRATCH = Path(tempfile.mkdtemp(prefix="parshall-check."))


class Server:
    """One server, for the length of a `with`."""

    def __init__(self, name, *told):
        self.log = open(SCRATCH / f"{name}.log", "a")
        self.began = time.monotonic()
        self.process = subprocess.Popen([HERE / "run", name, *told], stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.said = []
        for line in self.process.stdout:
            self.said.append(line)
            if line.startswith(f"ready {name} "):
                self.url = line.split()[2]
                self.host = self.url.removeprefix("http://")
                self.took = time.monotonic() - self.began
                return
        raise AssertionError(f"{name} ended with {self.process.wait()}: {Path(self.log.name).read_text()[-2000:]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        assert self.process.stdout.read() == "", "nothing but `ready` is on stdout, and it ends with the server"


def get(url, **query):
    if query:
        url += "?" + urllib.parse.urlencode(query)
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def post(url, body, kind="application/x-protobuf", method="POST", timeout=10, **headers):
    headers = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method), timeout=timeout) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers


def until(what, look, patience=20):
    began = time.monotonic()
    while time.monotonic() - began < patience:
        found = look()
        if found:
            print(f"  {what} after {time.monotonic() - began:.1f} s")
            return found
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {patience} s")


def lines(file, signal):
    return [line for line in map(json.loads, file.read_text().splitlines()) if line["signal"] == signal]


def spans(n=1):
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for i in range(n):
        scope.spans.add(name="run", trace_id=bytes(range(16)), span_id=bytes([i + 1] * 8), start_time_unix_nano=1, end_time_unix_nano=2)
    return request


def points():
    request = ExportMetricsServiceRequest()
    part = request.resource_metrics.add()
    part.resource.attributes.add(key="service.name").value.string_value = "parshall"
    scope, now = part.scope_metrics.add(), time.time_ns()
    rows = scope.metrics.add(name="demo.rows").sum
    rows.is_monotonic, rows.aggregation_temporality = True, 2
    rows.data_points.add(time_unix_nano=now, as_int=42)
    calls = scope.metrics.add(name="demo.call", unit="s").exponential_histogram
    calls.aggregation_temporality = 2
    point = calls.data_points.add(time_unix_nano=now, count=6, sum=10.0, scale=1, zero_count=1)
    point.positive.bucket_counts.extend([1, 2, 2])
    return request


def prometheus(name="prometheus"):
    """Scrapes an exporter that is not ours, keeps exemplars, and takes an alert through Alertmanager to a webhook and back."""
    registry = prometheus_client.CollectorRegistry()
    exporter, _ = prometheus_client.start_http_server(0, "127.0.0.1", registry)
    target = f"127.0.0.1:{exporter.server_port}"
    rows = prometheus_client.Counter("demo_rows", "Rows.", registry=registry)
    rows.inc(3, exemplar={"trace_id": "0af7651916cd43dd8448eb211c80319c"})
    failing = prometheus_client.Gauge("demo_failing", "Whether.", registry=registry)
    failing.set(1)
    rules = SCRATCH / "rules.yml"
    rules.write_text("groups: [{name: demo, rules: [{alert: Failing, expr: demo_failing == 1, labels: {severity: page}}]}]\n")
    file = SCRATCH / f"webhook-{name}.jsonl"
    with (
        Server("receiver", str(file)) as receiver,
        Server("alertmanager", "--webhook", receiver.url + "/webhook") as alertmanager,
        Server(name, "--scrape", target, "--rules", str(rules), "--alertmanager", alertmanager.host) as server,
    ):
        print(f"  ready: receiver {receiver.took:.1f} s, alertmanager {alertmanager.took:.1f} s, {name} {server.took:.1f} s")
        ask = lambda path, **query: json.loads(get(server.url + path, **query))["data"]
        until("sample", lambda: ask("/api/v1/query", query="demo_rows_total == 3")["result"])
        found = until("exemplar", lambda: ask("/api/v1/query_exemplars", query="demo_rows_total", start=time.time() - 60, end=time.time()))
        assert found[0]["exemplars"][0]["labels"]["trace_id"] == "0af7651916cd43dd8448eb211c80319c", found
        firing = until("alert at the webhook", lambda: lines(file, "webhook"))[0]["request"]
        assert firing["status"] == "firing" and firing["alerts"][0]["labels"]["alertname"] == "Failing", firing
        failing.set(0)
        until("its end at the webhook", lambda: [line for line in lines(file, "webhook") if line["request"]["status"] == "resolved"])


def prometheus3():
    """The same, by Prometheus 3."""
    prometheus("prometheus3")


def pushgateway():
    """Takes a push, and a scrape of it keeps the labels of who pushed."""
    with Server("pushgateway") as gateway, Server("prometheus", "--pushgateway", gateway.host) as server:
        print(f"  ready: {gateway.took:.1f} s")
        status, _ = post(gateway.url + "/metrics/job/flights/instance/one", b"demo_rows_total 7\n", "text/plain", "PUT")
        assert status == 200, status
        assert 'demo_rows_total{instance="one",job="flights"} 7' in get(gateway.url + "/metrics")
        query = 'demo_rows_total{job="flights",instance="one"}'
        until("scraped", lambda: json.loads(get(server.url + "/api/v1/query", query=query))["data"]["result"])


def victoria_metrics():
    """Takes OTLP metrics, exponential histograms too."""
    with Server("victoria-metrics") as server:
        print(f"  ready: {server.took:.1f} s")
        status, _ = post(server.url + "/opentelemetry/v1/metrics", gzip.compress(points().SerializeToString()), Content_Encoding="gzip")
        assert status == 200, status
        # Without the flush a new series is seen after ten seconds.
        export = lambda: get(server.url + "/internal/force_flush") or [json.loads(line) for line in get(server.url + "/api/v1/export", **{"match[]": '{service.name="parshall"}'}).splitlines()]
        found = until("series", export)
        by_name = {series["metric"]["__name__"]: series["values"] for series in found}
        assert by_name["demo.rows"] == [42] and by_name["demo.call_count"] == [6] and "demo.call_bucket" in by_name, found


def receiver():
    """Writes down what it is sent, misbehaves on demand, and can be taken down and brought back."""
    file = SCRATCH / "received.jsonl"
    with Server("receiver", str(file)) as server:
        ports = json.loads(server.said[0])
        tell = lambda **behaviour: post(server.url + "/control", json.dumps(behaviour).encode(), "application/json")
        send = lambda **more: post(server.url + "/v1/traces", spans(2).SerializeToString(), **more)
        counts = lambda: json.loads(get(server.url + "/counts"))
        assert send()[0] == 200
        zipped = gzip.compress(spans(3).SerializeToString())
        assert post(server.url + "/v1/traces", zipped, Content_Encoding="gzip", Authorization="Bearer x")[0] == 200
        assert post(server.url + "/v1/metrics", points().SerializeToString())[0] == 200
        record = ExportLogsServiceRequest()
        record.resource_logs.add().scope_logs.add().log_records.add().body.string_value = "hello"
        assert post(server.url + "/v1/logs", record.SerializeToString())[0] == 200
        assert counts() == {"requests": 4, "spans": 5, "logs": 1, "metrics": 2, "points": 2, "webhooks": 0, "misbehaved": 0}, counts()
        written = lines(file, "traces")
        assert written[1]["bytes"] == len(zipped) and written[1]["headers"]["authorization"] == "Bearer x", written
        assert written[0]["request"]["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] == "run", written

        tell(status=503, retry_after=1, times=1)
        status, headers = send()
        assert status == 503 and headers["Retry-After"] == "1", status
        assert send()[0] == 200, "it refused once, as told"
        tell(delay=0.5)
        began = time.monotonic()
        assert send()[0] == 200 and time.monotonic() - began > 0.5
        tell(hang=True)
        try:
            send(timeout=1)
            raise AssertionError("it answered")
        except TimeoutError:
            pass
        tell()
        assert send()[0] == 200
        assert tell(nonsense=1)[0] == 400
        assert post(server.url + "/v1/traces", b"\xff\xff")[0] == 400
        assert counts()["misbehaved"] == 2 and counts()["spans"] == 11, counts()
        if ports["grpc"]:
            over_grpc(ports["grpc"], tell)
            assert counts()["spans"] == 15, counts()
        port = server.url.rsplit(":", 1)[1]
    with Server("receiver", "--port", port, "--status", "503", str(file)) as server:
        assert server.url.endswith(port) and send()[0] == 503
    with Server("receiver", "--port", port, "--hang", str(file)) as server:
        try:
            send(timeout=1)
            raise AssertionError("it answered")
        except TimeoutError:
            pass
    print(f"  ready: {server.took:.1f} s; {len(file.read_text().splitlines())} lines")


def over_grpc(port, tell):
    import grpc
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = TraceServiceStub(channel)
        stub.Export(spans(2), timeout=5)
        stub.Export(spans(2), timeout=5, compression=grpc.Compression.Gzip)
        for told, code in [({"status": 503}, "UNAVAILABLE"), ({"status": 429}, "RESOURCE_EXHAUSTED"), ({"hang": True}, "DEADLINE_EXCEEDED")]:
            tell(**told)
            try:
                stub.Export(spans(), timeout=1)
                raise AssertionError("it answered")
            except grpc.RpcError as error:
                assert error.code().name == code, error
        tell()


def phoenix():
    """Takes spans and gives them back by REST."""
    with Server("phoenix") as server:
        print(f"  ready: {server.took:.1f} s")
        assert post(server.url + "/v1/traces", spans(2).SerializeToString())[0] == 200
        stored = lambda: json.loads(get(server.url + "/v1/projects/default/spans"))["data"]
        until("spans", lambda: [span["name"] for span in stored()] == ["run", "run"])


def parents():
    """A server goes with the process that started it, and its data with it."""
    code = "import subprocess, sys; print(subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE).stdout.readline().decode())"
    folder = SCRATCH / "tmp"
    folder.mkdir()
    told = [sys.executable, "-c", code, HERE / "run", "pushgateway"]
    said = subprocess.run(told, capture_output=True, text=True, env={**os.environ, "TMPDIR": str(folder)}).stdout
    url = said.split()[2]

    def gone():
        try:
            get(url + "/-/ready")
        except OSError:
            return not list(folder.iterdir())

    until("gone", gone, 5)
    with_group = subprocess.Popen([HERE / "run", "pushgateway"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                  process_group=0, env={**os.environ, "TMPDIR": str(folder)})
    with_group.stdout.readline()
    os.killpg(with_group.pid, signal.SIGKILL)
    until("cleaned up after a killed group", lambda: not list(folder.iterdir()), 5)


def main():
    every = [prometheus, pushgateway, victoria_metrics, receiver, parents]
    named = [globals()[name.replace("-", "_")] for name in sys.argv[1:]]
    for check in named or every:
        print(f"{check.__name__}: {check.__doc__}")
        check()
    shutil.rmtree(SCRATCH)
    print("all is as expected")


if __name__ == "__main__":
    main()
