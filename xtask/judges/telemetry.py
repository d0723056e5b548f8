"""Judges what a run sends and shows for monitoring: `telemetry.py ROWCALL PROMTOOL FOLDER`. Prometheus's own promtool reads the metrics of the
live page; the official classes of the OpenTelemetry protocol read what a receiver gets."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest, ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

ROWS = 3000
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


def main(rowcall: str, promtool: str, folder: Path) -> None:
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    (folder / "people.txt").write_text("".join(f"Person number {row} is {row % 90} years old\n" for row in range(ROWS)))
    command = [rowcall, "run", "people.txt", "-o", "people.jsonl", "--fresh", "--live", "-m", "sim/messy", "-s", "name, age int", "-p", "{{ text }}"]
    command += ["--rpm", "60000", "--price", "in=0.15,out=0.60", "--budget", "5", "--max-output-tokens", "100", "-c", "8"]
    command += ["--otlp", f"http://127.0.0.1:{receiver.server_port}"]
    run = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    assert run.stderr is not None
    address = None
    while address is None and (line := run.stderr.readline()):
        found = re.search(r"live at (\S+)", line)
        address = found and found.group(1)
    threading.Thread(target=run.stderr.read, daemon=True).start()
    assert address, "the run has printed no address"
    time.sleep(1)
    with urllib.request.urlopen(f"{address}metrics") as answer:
        metrics = answer.read()
    judged = subprocess.run([promtool, "check", "metrics"], input=metrics, capture_output=True)
    expect(judged.returncode == 0, f"promtool: {judged.stdout.decode()}{judged.stderr.decode()}")
    expect(run.wait() in (0, 3), f"the run ended with {run.returncode}")
    for _, message in received:
        check_known(message)
    last = [message for path, message in received if path == "/v1/metrics"][-1]
    names = {metric.name: metric for scope in last.resource_metrics[0].scope_metrics for metric in scope.metrics}
    rows = sum(point.as_double for point in names["rowcall.rows"].gauge.data_points)
    expect(rows == ROWS, f"{rows} rows instead of {ROWS}")
    spans = [span for path, message in received if path == "/v1/traces" for scope in message.resource_spans[0].scope_spans for span in scope.spans]
    failed = {span.span_id for span in spans if span.name == "row" and span.status.code == 2}
    expect(failed, "no failed row is traced")
    expect(all(len(span.trace_id) == 16 and len(span.span_id) == 8 for span in spans), "an identifier has the wrong length")
    expect(len({span.span_id for span in spans}) == len(spans), "an identifier occurs twice")
    print(f"{len(metrics.splitlines())} lines of metrics, {len(received)} requests, {len(spans)} spans of {len(failed)} failed rows and others")


main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
for what in dict.fromkeys(wrong):
    print(what)
sys.exit(1 if wrong else 0)
