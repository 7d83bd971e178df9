# SPDX-License-Identifier: MIT
"""What operators ask of a server: an access log, metrics, health, names for requests; over restarts."""

import hashlib
import json
import os
import re
import signal
import socket

import pytest

from httpd import exchange, head
from releases import Gate
from server import DEMO
from waiting import wait_until


def lines_of(path, count):
    """The lines of a file, once there are so many."""
    def read():
        if not os.path.exists(path):
            return None
        with open(path, "rb") as file:
            lines = file.read().splitlines()
        return lines if len(lines) >= count else None

    lines = wait_until(read, f"{count} lines in {path}")
    assert len(lines) == count, lines
    return lines


COMBINED = re.compile(
    rb'127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "([^"]*)" (\d{3}) (\d+) '
    rb'"([^"]*)" "([^"]*)" ([0-9a-zA-Z-]+)')


def test_the_combined_log(demo, tmp_path):
    path = str(tmp_path / "access")
    server = demo("--access-log", path, "--threads", 1)  # which has asked /test once
    exchange(server, head("/blob?bytes=1000", "Referer: http://a/", "User-Agent: b\xe9\"c\\".encode().decode("latin-1"),
                          "X-Request-Id: my-1").encode("latin-1"))
    exchange(server, "nonsense\r\n\r\n")
    exchange(server, "GET /nowhere HTTP/1.0\r\n\r\n")
    found = [COMBINED.fullmatch(line).groups() for line in lines_of(path, 4)]
    assert found[0][:5] == (b"GET /test HTTP/1.1", b"200", b"10", b"-", b"-")
    assert found[1] == (b"GET /blob?bytes=1000 HTTP/1.1", b"200", b"1000", b"http://a/",
                        b"b\\xC3\\xA9\\x22c\\x5C", b"my-1")
    assert found[2][:3] == (b"-", b"400", b"16")
    assert found[3][:3] == (b"GET /nowhere HTTP/1.0", b"404", b"14")
    assert len({ids for *_, ids in found}) == 4


def test_the_json_log(demo, tmp_path):
    path = str(tmp_path / "access")
    server = demo("--access-log", path, "--access-json", "--threads", 1)
    exchange(server, head("/test?\"", "User-Agent: \x7f\\".replace("\x7f", "\xe9")).encode("latin-1"))
    exchange(server, b"\xff\r\n")
    with server.connect() as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.send(head("/blob?bytes=1000000000"))
        client.socket.recv(1000)
    found = [json.loads(line) for line in lines_of(path, 4)]
    assert found[1]["target"] == '/test?"' and found[1]["user_agent"] == "\xe9\\"
    assert (found[1]["method"], found[1]["version"], found[1]["status"]) == ("GET", "HTTP/1.1", 200)
    assert found[1]["remote"] == "127.0.0.1" and found[1]["generation"] == 1
    assert found[1]["pid"] == server.current.pid and 0 <= found[1]["seconds"] < 60
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found[1]["time"])
    assert found[2]["status"] == 400 and "method" not in found[2]
    assert found[3]["complete"] is False and found[1]["complete"] is True
    assert found[3]["bytes"] < 1000000000


def test_the_log_is_opened_again_on_sighup(demo, tmp_path):
    path, rotated = str(tmp_path / "access"), str(tmp_path / "access.1")
    server = demo("--access-log", path, "--threads", 1)
    lines_of(path, 1)
    os.rename(path, rotated)
    server.get("/test")
    lines_of(rotated, 2)
    server.current.signal(signal.SIGHUP)

    def appears():
        server.get("/test")
        return os.path.exists(path)

    wait_until(appears, "the new file")
    before = len(open(rotated, "rb").read().splitlines())
    server.get("/test")
    assert len(open(rotated, "rb").read().splitlines()) == before


def test_a_sighup_in_the_first_instants_of_a_generation_waits_for_it(demo, releases, tmp_path):
    """A log rotation that meets a restart: the new process has not come to its own code yet."""
    path, rotated = str(tmp_path / "access"), str(tmp_path / "access.1")
    server = demo("--access-log", path, "--start-timeout", 20, program=releases.current)
    gate = Gate(releases)
    for generation in (2, 3):
        old = server.current
        releases.switch("waits")
        old.signal(signal.SIGUSR2)
        gate.await_reached()
        releases.switch("release-1")
        (successor,) = old.children()
        os.kill(successor, signal.SIGHUP)
        gate.open()
        server.await_generation(generation)
        assert server.current.pid == successor, server.log.text()
        server.retire_predecessors()
    gate.close()
    os.rename(path, rotated)
    server.current.signal(signal.SIGHUP)
    wait_until(lambda: server.get("/test") and os.path.exists(path), "SIGHUP means what it meant")


def test_the_log_goes_on_over_a_restart(demo, tmp_path):
    path = str(tmp_path / "access")
    server = demo("--access-log", path, "--access-json", "--threads", 1)
    server.restart()
    server.get("/test")
    server.get("/last")

    def generations():
        with open(path, "rb") as file:
            found = [json.loads(line) for line in file]
        return found and found[-1]["target"] == "/last" and {one["generation"] for one in found} == {1, 2}

    wait_until(generations, "lines of both")
    server.current.signal(signal.SIGHUP)
    server.get("/test")


def test_a_log_that_cannot_be_opened_keeps_the_server_from_starting(household, tmp_path):
    log = household.log("refused.log")
    argv = [DEMO, "--listen", "127.0.0.1:0", "--access-log", str(tmp_path / "no" / "access")]
    process = household.start(argv, log, executable=DEMO)
    assert process.wait_exit() == 1
    assert "No such file or directory" in log.text()


# -- metrics --


def metrics(server):
    answer = server.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    found = {}
    types = {}
    for line in answer.body.decode().splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name not in types, "a name has one type"
            types[name] = kind
        elif not line.startswith("# HELP "):
            name, value = line.rsplit(" ", 1)
            assert re.fullmatch(r'[a-z_]+(\{[a-z]+="[^"]*"\})?', name), line
            assert name not in found
            found[name] = float(value)
            base = re.sub(r"\{.*|_(bucket|sum|count)(?=[{]|$)", "", name)
            assert base in types or name.split("{")[0] in types, line
    return found


def test_metrics_count_requests_by_status(demo):
    server = demo()
    before = metrics(server)
    for path in ("/test", "/test", "/nowhere"):
        server.get(path)
    exchange(server, "nonsense\r\n\r\n")
    wait_until(lambda: metrics(server).get('hotstart_http_requests_total{code="400"}') == 1, "all are counted")
    after = metrics(server)

    def grew(name):
        return after[name] - before.get(name, 0)

    assert grew('hotstart_http_requests_total{code="404"}') == 1
    assert grew('hotstart_http_requests_total{code="200"}') >= 3
    count = sum(v for k, v in after.items() if k.startswith("hotstart_http_requests_total"))
    assert after["hotstart_http_request_duration_seconds_count"] == count
    buckets = [v for k, v in after.items() if k.startswith("hotstart_http_request_duration_seconds_bucket")]
    assert buckets == sorted(buckets) and buckets[-1] == count
    assert after["hotstart_http_connections_accepted_total"] >= count
    assert after["hotstart_generation"] == 1
    # It answers as soon as its loops accept, and says so when all of them have confirmed.
    wait_until(lambda: metrics(server)["hotstart_accepting"] == 1, "it says that it accepts")


def test_metrics_show_what_connections_do(demo):
    server = demo("--hello-delay", 30, "--threads", 2)
    idle = [server.connect() for _ in range(3)]
    for client in idle:
        client.get("/test")
    with server.connect() as reading, server.connect() as busy:
        reading.send("GET /test HT")
        busy.request("/hello")

        def seen():
            now = metrics(server)
            return (now['hotstart_http_connections{state="idle"}'] >= 3
                    and now['hotstart_http_connections{state="handling"}'] == 1
                    and now['hotstart_http_connections{state="reading"}'] >= 1
                    and now["hotstart_http_handlers_running"] == 1)

        wait_until(seen, lambda: f"they are shown: {metrics(server)}")
    for client in idle:
        client.close()
    server.current.signal(signal.SIGTERM)
    server.current.signal(signal.SIGINT)
    server.stopped = True
    assert server.current.wait_exit() in (0, 1)


def test_counts_go_on_over_restarts(demo):
    server = demo()
    for _ in range(10):
        server.get("/nowhere")
    server.restart()
    server.get("/nowhere")
    now = wait_until(lambda: (m := metrics(server))['hotstart_http_requests_total{code="404"}'] == 11 and
                     m['hotstart_restarts_total{result="committed"}'] == 1 and m, "what both have counted")
    assert now["hotstart_generation"] == 2
    assert now["hotstart_restart_ready_seconds"] > 0
    assert now["hotstart_restart_gap_seconds"] > 0
    server.restart()
    wait_until(lambda: metrics(server)['hotstart_restarts_total{result="committed"}'] == 2, "the second one")


# -- health --


def test_ready_and_live_over_a_restart_and_a_stop(demo):
    server = demo("--unready", 30)
    assert (server.get("/health/live").status, server.get("/health/ready").status) == (200, 200)
    server.restart()
    assert (server.get("/health/live").status, server.get("/health/ready").status) == (200, 200)
    server.current.signal(signal.SIGTERM)
    server.stopped = True
    wait_until(lambda: server.get("/health/ready").status == 503, "it is not ready any more")
    assert server.get("/health/live").status == 200
    assert server.get("/test").status == 200, "it still serves"
    server.current.signal(signal.SIGTERM)
    server.current.wait_exit()


def test_a_stop_ends_by_itself_after_having_been_unready(demo):
    server = demo("--unready", 0.3)
    server.current.signal(signal.SIGTERM)
    server.stopped = True
    assert server.current.wait_exit() == 0


# -- names --


@pytest.mark.parametrize("came, taken", [
    ("abc-123", True), ("a" * 64, True), ("a" * 65, False), ("a b", False), ("a\"b", False), ("", False),
])
def test_request_ids(demo, came, taken):
    with demo("--request-ids").connect() as client:
        answer = client.get("/test", headers=[f"X-Request-Id: {came}"])
        name = answer.headers["X-Request-Id"]
        assert (name == came) == taken
        assert taken or re.fullmatch("[0-9a-f]{24}", name)
        assert client.get("/test").headers["X-Request-Id"] != name


def test_uploads_of_any_size(demo):
    body = os.urandom(20 << 20)  # more than a body in memory may have
    with demo().connect() as client:
        client.request("/upload", method="POST", body=body)
        assert client.answer().body == f"{len(body)} {hashlib.sha256(body).hexdigest()}\n".encode()
        client.send(head("/echo", f"Content-Length: {len(body)}", method="POST"))
        assert client.answer().status == 413
