#!/usr/bin/env python3
"""An OTLP receiver that is not ours: it writes down what it is sent, and misbehaves when told to.

    receiver.py [--port N] [--grpc-port N] [--delay SECONDS] [--hang] [--status CODE] FILE

Takes OTLP over HTTP (binary protobuf, POST /v1/traces, /v1/logs, /v1/metrics) and, where grpcio is installed, over gRPC, both on
127.0.0.1; port 0 is any free one. Every request that it takes becomes one line of FILE, which it appends to and never truncates:

    {"signal": "traces", "transport": "http", "headers": {...}, "bytes": 310, "request": {"resourceSpans": [...]}}

`request` is protobuf's own JSON mapping: camelCase, 64-bit numbers as strings, ids in base64, enums by name. `bytes` is what came
over the wire (0 for gRPC, which decompresses before we see it). POST /webhook takes any JSON (Alertmanager's, say) and writes
{"signal": "webhook", ...}.

Once it listens it prints {"http": PORT, "grpc": PORT or null} on stdout.

    GET  /counts     {"requests": 2, "spans": 3, "logs": 0, "metrics": 1, "points": 4, "webhooks": 0, "misbehaved": 0}
    GET  /control    how it behaves now
    POST /control    {"delay": SECONDS, "hang": BOOL, "status": CODE, "retry_after": SECONDS, "times": N}; what is left out goes
                     back to good behaviour, so {} is a receiver that works. `times`: misbehave for N requests only.

`delay` and `status` may be combined; a request refused or left hanging is counted under `misbehaved` and written nowhere.
"""

import argparse
import gzip
import json
import ssl
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace

try:
    import grpc
except ImportError:
    grpc = None

PROTOBUF = "application/x-protobuf"
# Path over HTTP → signal, request, response, and the service's name over gRPC.
SIGNALS = {
    "/v1/traces": ("traces", trace.ExportTraceServiceRequest, trace.ExportTraceServiceResponse, "trace.v1.TraceService"),
    "/v1/logs": ("logs", logs.ExportLogsServiceRequest, logs.ExportLogsServiceResponse, "logs.v1.LogsService"),
    "/v1/metrics": ("metrics", metrics.ExportMetricsServiceRequest, metrics.ExportMetricsServiceResponse, "metrics.v1.MetricsService"),
}
GOOD = {"delay": 0.0, "hang": False, "status": 200, "retry_after": None, "times": None}


class Record:
    """The file, and what was counted on its way there."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8")
        self.lock = threading.Lock()
        self.counts = dict.fromkeys(["requests", "spans", "logs", "metrics", "points", "webhooks", "misbehaved"], 0)

    def add(self, **more):
        with self.lock:
            for name, n in more.items():
                self.counts[name] += n

    def write(self, line, **more):
        text = json.dumps(line) + "\n"
        with self.lock:
            self.file.write(text)
            self.file.flush()
            for name, n in more.items():
                self.counts[name] += n

    def otlp(self, signal, transport, headers, size, request):
        line = {"signal": signal, "transport": transport, "headers": headers, "bytes": size, "request": MessageToDict(request)}
        self.write(line, requests=1, **contents(signal, request))


def contents(signal, request):
    if signal == "traces":
        return {"spans": sum(len(scope.spans) for part in request.resource_spans for scope in part.scope_spans)}
    if signal == "logs":
        return {"logs": sum(len(scope.log_records) for part in request.resource_logs for scope in part.scope_logs)}
    found = [metric for part in request.resource_metrics for scope in part.scope_metrics for metric in scope.metrics]
    data = [getattr(metric, metric.WhichOneof("data")) for metric in found if metric.WhichOneof("data")]
    return {"metrics": len(found), "points": sum(len(kind.data_points) for kind in data)}


class Behaviour:
    """How OTLP requests are met, until it is set anew."""

    def __init__(self, **told):
        self.changed = threading.Condition()
        self.now = dict(GOOD)
        self.set(told)

    def set(self, told):
        unknown = set(told) - set(GOOD)
        if unknown:
            raise ValueError(f"no such behaviour: {', '.join(sorted(unknown))}")
        with self.changed:
            self.now = {**GOOD, **told}
            self.changed.notify_all()

    def meet(self):
        """What to answer: a status, or None where there shall be no answer. Takes as long as it was told to."""
        with self.changed:
            now = self.now
            if now["times"] is not None:
                if now["times"] <= 0:
                    now = GOOD
                else:
                    now["times"] -= 1
            if now["hang"]:
                # Whoever set it back wants a receiver that works, not the requests of before.
                self.changed.wait_for(lambda: self.now is not now)
                return None, None
        time.sleep(now["delay"])
        return now["status"], now["retry_after"]


def http_server(port, record, behaviour):
    class Handler(BaseHTTPRequestHandler):
        # Exporters keep their connection.
        protocol_version = "HTTP/1.1"
        # An answer goes out as head and body; without this the body waits for the client to acknowledge the head.
        disable_nagle_algorithm = True

        def do_GET(self):
            if self.path == "/counts":
                self.json(200, record.counts)
            elif self.path == "/control":
                self.json(200, behaviour.now)
            elif self.path == "/-/healthy":
                self.answer(200, b"ok\n")
            else:
                self.answer(404)

        def do_POST(self):
            body = self.body()
            if self.path in SIGNALS:
                self.otlp(body, *SIGNALS[self.path][:3])
            elif self.path == "/control":
                self.control(body)
            elif self.path == "/webhook":
                self.webhook(body)
            else:
                self.answer(404)

        def otlp(self, body, signal, request, response):
            status, retry_after = behaviour.meet()
            if status != 200:
                record.add(misbehaved=1)
            if status is None:
                self.close_connection = True
                return
            if status != 200:
                self.answer(status, b"", PROTOBUF, {"Retry-After": retry_after} if retry_after is not None else {})
                return
            if self.headers.get("Content-Type", "").split(";")[0].strip() != PROTOBUF:
                self.answer(415, b"binary protobuf only\n")
                return
            size = len(body)
            try:
                sent = request.FromString(self.decompressed(body))
            except (DecodeError, ValueError, OSError, EOFError, zlib.error) as error:
                self.answer(400, f"{error}\n".encode())
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            record.otlp(signal, "http", headers, size, sent)
            self.answer(200, response().SerializeToString(), PROTOBUF)

        def webhook(self, body):
            try:
                sent = json.loads(body)
            except ValueError as error:
                self.answer(400, f"{error}\n".encode())
                return
            record.write({"signal": "webhook", "transport": "http", "request": sent}, webhooks=1)
            self.answer(200)

        def control(self, body):
            try:
                behaviour.set(json.loads(body or b"{}"))
            except (ValueError, TypeError) as error:
                self.answer(400, f"{error}\n".encode())
                return
            self.json(200, behaviour.now)

        def body(self):
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(parts)

        def decompressed(self, body):
            encoding = self.headers.get("Content-Encoding", "identity").lower()
            if encoding == "gzip":
                return gzip.decompress(body)
            if encoding == "deflate":
                return zlib.decompress(body)
            if encoding == "identity":
                return body
            raise ValueError(f"Content-Encoding {encoding} is not known here")

        def json(self, status, value):
            self.answer(status, json.dumps(value).encode() + b"\n", "application/json")

        def answer(self, status, body=b"", kind="text/plain", headers={}):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        # The default, 5, refuses connections when an exporter and a test come at once.
        request_queue_size = 128

        def handle_error(self, *_):
            # A client that went away is what tests are made of.
            if not isinstance(sys.exc_info()[1], OSError):
                super().handle_error(*_)

    return Server(("127.0.0.1", port), Handler)


def grpc_server(port, record, behaviour, credentials=None):
    """The server and its port."""

    def method(signal, request, response):
        def export(sent, context):
            status, _ = behaviour.meet()
            if status != 200:
                record.add(misbehaved=1)
                codes = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 429: "RESOURCE_EXHAUSTED", 502: "UNAVAILABLE", 503: "UNAVAILABLE",
                         504: "UNAVAILABLE"}
                context.abort(getattr(grpc.StatusCode, codes.get(status, "INVALID_ARGUMENT" if status else "UNAVAILABLE")), "as told")
            headers = {name: value if isinstance(value, str) else value.hex() for name, value in context.invocation_metadata()}
            record.otlp(signal, "grpc", headers, 0, sent)
            return response()

        return grpc.unary_unary_rpc_method_handler(export, request.FromString, response.SerializeToString)

    # A hanging call holds its thread.
    server = grpc.server(ThreadPoolExecutor(64), options=[("grpc.max_receive_message_length", -1)])
    for signal, request, response, service in SIGNALS.values():
        handlers = {"Export": method(signal, request, response)}
        name = f"opentelemetry.proto.collector.{service}"
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(name, handlers)])
    address = f"127.0.0.1:{port}"
    return server, server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)


def tls_ports(pair, record, behaviour):
    """Starts the same servers with TLS, beside those without, by which tests control them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    https = http_server(0, record, behaviour)
    https.socket = context.wrap_socket(https.socket, server_side=True)
    threading.Thread(target=https.serve_forever, daemon=True).start()
    ports = {"https": https.server_address[1], "grpcs": None}
    if grpc:
        certificate, key = (open(path, "rb").read() for path in pair)
        rpc, ports["grpcs"] = grpc_server(0, record, behaviour, grpc.ssl_server_credentials([(key, certificate)]))
        rpc.start()
        # It ends when nobody holds it.
        HELD.append(rpc)
    return ports


HELD = []


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="of HTTP; 0 is any free one")
    parser.add_argument("--grpc-port", type=int, default=0, help="of gRPC; 0 is any free one")
    parser.add_argument("--delay", type=float, default=0.0, metavar="SECONDS", help="answer late")
    parser.add_argument("--hang", action="store_true", help="accept and never answer")
    parser.add_argument("--status", type=int, default=200, metavar="CODE", help="answer with this status, and take nothing")
    parser.add_argument("--tls", nargs=2, metavar=("CERTIFICATE", "KEY"), help="PEM files: also listen with TLS, on free ports `https` and `grpcs`")
    parser.add_argument("file", metavar="FILE", help="where requests are appended, a line of JSON each")
    told = parser.parse_args()

    record = Record(told.file)
    behaviour = Behaviour(delay=told.delay, hang=told.hang, status=told.status)
    http = http_server(told.port, record, behaviour)
    grpc_port = None
    if grpc:
        rpc, grpc_port = grpc_server(told.grpc_port, record, behaviour)
        rpc.start()
    ports = {"http": http.server_address[1], "grpc": grpc_port}
    if told.tls:
        ports |= tls_ports(told.tls, record, behaviour)
    print(json.dumps(ports), flush=True)
    try:
        http.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
