"""Judges what a run sends and shows for monitoring: `telemetry.py ROWCALL PROMTOOL PROMETHEUS FOLDER`. Prometheus's own promtool reads the
metrics of the live page, and Prometheus scrapes them. The official classes of the OpenTelemetry protocol read what a receiver gets, directly
and by way of a collector, Rotel."""

from __future__ import annotations

import gzip
import json
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import rotel
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest, ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

ROWS = 3000
# How long a program may take to start, or to pass on what it has got, in seconds.
PATIENCE = 30
KINDS = {
    "/v1/metrics": (ExportMetricsServiceRequest, ExportMetricsServiceResponse),
    "/v1/traces": (ExportTraceServiceRequest, ExportTraceServiceResponse),
}
received: list[tuple[str, Message]] = []
wrong: list[str] = []


def expect(holds: object, what: str) -> None:
    if not holds:
        wrong.append(what)


class Receiver(BaseHTTPRequestHandler):
    """Takes what the protocol has, and nothing else."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers["content-encoding"] == "gzip":
            body = gzip.decompress(body)
        expect(self.headers["content-type"] == "application/x-protobuf", f"the type is {self.headers['content-type']}")
        expect(self.path in KINDS, f"the path is {self.path}")
        request, response = KINDS[self.path]
        message = request()
        message.ParseFromString(body)
        received.append((self.path, message))
        answer = response().SerializeToString()
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        pass


def check_known(message: Message) -> None:
    """All fields are those of the protocol."""
    expect(len(UnknownFieldSet(message)) == 0, f"{type(message).__name__} has unknown fields")
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for part in value if field.is_repeated else [value]:
                check_known(part)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def listening(port: int, program: subprocess.Popen[bytes]) -> None:
    """Waits until the program listens."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and program.poll() is None:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"`{program.args[0]}` does not listen")  # type: ignore[index]


def collector(receiver: int, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Rotel, which passes on what it gets to this receiver, and its port."""
    port, other = free_port(), free_port()
    agent = [Path(rotel.__file__).parent / "rotel-agent", "start", "--exporter", "otlp", "--otlp-exporter-protocol", "http"]
    agent += ["--otlp-exporter-endpoint", f"http://127.0.0.1:{receiver}", "--otlp-http-endpoint", f"127.0.0.1:{port}"]
    agent += ["--otlp-grpc-endpoint", f"127.0.0.1:{other}", "--pid-file", folder / "rotel.pid", "--log-file", folder / "rotel.log"]
    with (folder / "rotel.out").open("wb") as out:
        program = subprocess.Popen(agent, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    listening(port, program)
    return program, port


def prometheus(program: str, address: str, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Prometheus, which scrapes the page at this address as docs/metrics.md says, and its port."""
    host, token = re.match(r"http://([^/]+)/([^/]+)/", address).groups()  # type: ignore[union-attr]
    job = {"job_name": "rowcall", "authorization": {"credentials": token}, "static_configs": [{"targets": [host]}]}
    # YAML is a superset of JSON.
    (folder / "prometheus.yml").write_text(json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}))
    port = free_port()
    command = [program, "--config.file", "prometheus.yml", f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.path=prometheus"]
    with (folder / "prometheus.out").open("wb") as out:
        server = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    listening(port, server)
    return server, port


def queried(port: int, query: str) -> float | None:
    """What Prometheus answers to a query; nothing before it is ready."""
    text = urllib.parse.urlencode({"query": query})
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?{text}") as answer:
            found = json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        if error.code != 503:
            raise
        return None
    return float(found[0]["value"][1]) if found else None


def scraped(program: str, address: str, folder: Path) -> None:
    """Prometheus scrapes the page."""
    server, port = prometheus(program, address, folder)
    try:
        until = time.monotonic() + PATIENCE
        while not (rows := queried(port, "sum(rowcall_rows)")) and time.monotonic() < until:
            time.sleep(0.2)
        expect(rows, "Prometheus has scraped no rows")
        for query in ["sum(rowcall_requests_total)", "sum(rowcall_cost_usd_total)", "rowcall_request_duration_seconds_count"]:
            expect(queried(port, query), f"Prometheus knows nothing of {query}")
        print(f"Prometheus has scraped {rows:.0f} rows so far")
    finally:
        server.terminate()
        server.wait()


def ran(rowcall: str, port: int, folder: Path, watch: bool, tools: tuple[str, str]) -> int:
    """A run that sends to this port; returns how many lines of metrics its page has, if it is watched."""
    command = [rowcall, "run", "people.txt", "-o", "people.jsonl", "--fresh", "--live", "-m", "sim/messy", "-s", "name, age int", "-p", "{{ text }}"]
    command += ["--rpm", "30000" if watch else "120000", "--price", "in=0.15,out=0.60", "--budget", "5", "--max-output-tokens", "100", "-c", "16"]
    command += ["--otlp", f"http://127.0.0.1:{port}"]
    run = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    assert run.stderr is not None
    address, lines = None, []
    while address is None and (line := run.stderr.readline()):
        found = re.search(r"live at (\S+)", line)
        address = found and found.group(1)
    reading = threading.Thread(target=lambda: lines.extend(run.stderr or []), daemon=True)
    reading.start()
    assert address, "the run has printed no address"
    metrics = b""
    if watch:
        promtool, server = tools
        scraped(server, address, folder)
        with urllib.request.urlopen(f"{address}metrics") as answer:
            metrics = answer.read()
        judged = subprocess.run([promtool, "check", "metrics"], input=metrics, capture_output=True)
        expect(judged.returncode == 0, f"promtool: {judged.stdout.decode()}{judged.stderr.decode()}")
    expect(run.wait() in (0, 3), f"the run ended with {run.returncode}")
    reading.join()
    expect(not any("telemetry" in line for line in lines), f"the run complains: {lines}")
    return len(metrics.splitlines())


def check(by: str) -> None:
    """Checks what was received of one run."""
    for _, message in received:
        check_known(message)
    last = [message for path, message in received if path == "/v1/metrics"][-1]
    names = {metric.name: metric for scope in last.resource_metrics[0].scope_metrics for metric in scope.metrics}
    rows = sum(point.as_double for point in names["rowcall.rows"].gauge.data_points)
    expect(rows == ROWS, f"{by}: {rows} rows instead of {ROWS}")
    traces = [message for path, message in received if path == "/v1/traces"]
    spans = [span for message in traces for of in message.resource_spans for scope in of.scope_spans for span in scope.spans]
    failed = {span.span_id for span in spans if span.name == "row" and span.status.code == 2}
    expect(failed, f"{by}: no failed row is traced")
    expect(all(len(span.trace_id) == 16 and len(span.span_id) == 8 for span in spans), f"{by}: an identifier has the wrong length")
    expect(len({span.span_id for span in spans}) == len(spans), f"{by}: an identifier occurs twice")
    print(f"{by}: {len(received)} requests, {len(names)} metrics, {len(spans)} spans, {len(failed)} of them of failed rows")


def has_all() -> bool:
    """Whether the collector has passed on the last metrics and the spans of a run."""
    latest = [message for path, message in list(received) if path == "/v1/metrics"][-1:]
    metrics = [metric for message in latest for scope in message.resource_metrics[0].scope_metrics for metric in scope.metrics]
    rows = sum(point.as_double for metric in metrics if metric.name == "rowcall.rows" for point in metric.gauge.data_points)
    return rows == ROWS and any(path == "/v1/traces" for path, _ in list(received))


def main(rowcall: str, promtool: str, server: str, folder: Path) -> None:
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    (folder / "people.txt").write_text("".join(f"Person number {row} is {row % 90} years old\n" for row in range(ROWS)))
    lines = ran(rowcall, receiver.server_port, folder, True, (promtool, server))
    print(f"promtool has read {lines} lines of metrics")
    check("directly")
    received.clear()
    agent, port = collector(receiver.server_port, folder)
    try:
        ran(rowcall, port, folder, False, (promtool, server))
        until = time.monotonic() + PATIENCE
        while not has_all() and time.monotonic() < until:
            time.sleep(0.1)
    finally:
        agent.terminate()
        agent.wait()
    check("by way of the collector")


main(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]))
for what in dict.fromkeys(wrong):
    print(what)
sys.exit(1 if wrong else 0)
