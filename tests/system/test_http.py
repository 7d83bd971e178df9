# SPDX-License-Identifier: MIT
"""The HTTP server as clients see it: what it answers, what it refuses, what it bounds, how it ends."""

import email.utils
import hashlib
import os
import re
import select
import signal
import socket
import subprocess

import pytest

from server import BUILD, Server
from waiting import wait_until

HTTPD = os.path.join(BUILD, "tests/httpd")


@pytest.fixture
def httpd(household):
    """Start tests/httpd: httpd("pool=4", …)."""

    def start(*settings):
        log = household.log(f"httpd-{len(household.servers)}.log")
        process = household.start([HTTPD, "127.0.0.1:0", *settings], log, executable=HTTPD)
        server = Server(process, log)
        household.servers.append(server)
        server.await_listening()
        return server

    return start


def head(path="/test", *fields, method="GET", version="HTTP/1.1"):
    return "\r\n".join([f"{method} {path} {version}", "Host: a", *fields, "", ""])


def read_to_end(client):
    """Everything until the server's end of file. A reset fails the test."""
    data = b""
    while piece := client.socket.recv(65536):
        data += piece
    return data


def exchange(server, data):
    """Send, say that nothing more will come, and return all that is answered."""
    with server.connect() as client:
        client.send(data)
        client.socket.shutdown(socket.SHUT_WR)
        return read_to_end(client)


def statuses(data):
    return [int(s) for s in re.findall(rb"HTTP/1\.1 (\d{3}) ", data)]


def blob(size):
    pattern = bytes(ord("A") + i for i in range(23))
    return (pattern * (size // 23 + 1))[:size]


# -- what it answers --


def test_the_demo_answers_as_the_seeds_did(demo):
    server = demo("--hello-delay", 0.01)
    assert server.get("/test").body == b"test 22222"
    assert server.get("/hello").body == b"hello world233333!!!!"
    about = server.get("/generation")
    assert about.headers["Content-Type"] == "application/json"
    assert about.json()["pid"] == about.pid == server.current.pid
    assert about.json()["generation"] == about.generation == 1
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", about.json()["started"])


@pytest.mark.parametrize("size", [0, 1, 23, 24, 65536, 1000003])
def test_the_blob_is_what_was_asked_for(demo, size):
    assert demo().get(f"/blob?bytes={size}").body == blob(size)


@pytest.mark.parametrize("query", ["", "?", "?bytes=", "?bytes=x", "?bytes=-1", "?bytes=1x", "?byte=1",
                                   "?bytes=99999999999999999999"])
def test_a_blob_of_no_size_is_a_bad_request(demo, query):
    assert demo().get("/blob" + query).status == 400


def test_every_response_carries_date_pid_and_generation(demo):
    server = demo()
    for path, status in (("/test", 200), ("/nowhere", 404)):
        answer = server.get(path)
        assert answer.status == status
        assert email.utils.parsedate(answer.headers["Date"])
        assert (answer.pid, answer.generation) == (server.current.pid, 1)
    refused = exchange(server, "nonsense\r\n\r\n")
    assert b"\r\nX-Generation: 1\r\n" in refused and b"\r\nDate: " in refused


def test_unknown_paths_and_methods(demo):
    server = demo()
    assert server.get("/test/").status == 404
    assert server.get("/index.html").status == 404
    with server.connect() as client:
        client.request("/test", method="PUT", body=b"x")
        answer = client.answer()
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
        client.request("/echo", method="DELETE")
        answer = client.answer()
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
        assert client.get("/test").status == 200, "the connection goes on"


def test_the_page_is_at_the_root_only(demo):
    with open(os.path.join(os.path.dirname(__file__), "../../examples/demo.html"), "rb") as file:
        page = file.read()
    server = demo()
    answer = server.get("/?whatever")
    assert (answer.status, answer.body) == (200, page)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    with server.connect() as client:
        for path, status in (("/", 405), ("/nowhere", 404)):
            client.request(path, method="POST", body=b"x")
            answer = client.answer()
            assert (answer.status, answer.headers["Allow"]) == (status, "GET, HEAD" if status == 405 else None)
    assert exchange(server, head("/", method="HEAD")).endswith(b"\r\n\r\n")


def test_routes_take_subtrees_and_any_method(httpd):
    server = httpd()
    assert server.get("/tree/").body == b"GET /tree/"
    assert server.get("/tree/a/b?c").body == b"GET /tree/a/b"
    assert server.get("/tree").status == 404
    with server.connect() as client:
        for method in ("PUT", "OPTIONS", "PATCH"):
            client.request("/any", method=method)
            assert client.answer().body == f"{method} /any".encode()


def test_head_is_get_without_the_body(demo):
    server = demo()
    for path, length in (("/test", "10"), ("/blob?bytes=5000000000", "5000000000")):
        data = exchange(server, head(path, method="HEAD"))
        assert statuses(data) == [200]
        assert f"\r\nContent-Length: {length}\r\n".encode() in data
        assert data.endswith(b"\r\n\r\n")
    with server.connect() as client:
        client.send(head("/blob?bytes=7", method="HEAD") + head())
        data = b""
        while not data.endswith(b"test 22222"):
            piece = client.socket.recv(65536)
            assert piece
            data += piece
        assert statuses(data) == [200, 200]


def test_a_connection_serves_many_requests(demo):
    with demo().connect() as client:
        for _ in range(200):
            answer = client.get("/test")
            assert answer.status == 200 and "Connection" not in answer.headers


def test_connection_close_is_obeyed(demo):
    with demo().connect() as client:
        client.send(head("/test", "Connection: close") + head())
        data = read_to_end(client)
        assert statuses(data) == [200] and b"\r\nConnection: close\r\n" in data


def test_http_1_0_closes_unless_asked_not_to(demo):
    server = demo()
    data = exchange(server, "GET /test HTTP/1.0\r\n\r\nGET /test HTTP/1.0\r\n\r\n")
    assert statuses(data) == [200] and b"\r\nConnection: close\r\n" in data
    kept = "GET /test HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    data = exchange(server, kept + kept)
    assert statuses(data) == [200, 200] and data.count(b"\r\nConnection: keep-alive\r\n") == 2


def test_pipelined_requests_are_answered_in_order(demo):
    server = demo()
    sizes = list(range(100))
    data = exchange(server, "".join(head(f"/blob?bytes={n}") for n in sizes))
    for n in sizes:
        top, data = data.split(b"\r\n\r\n", 1)
        assert f"\r\nContent-Length: {n}\r\n".encode() in top + b"\r\n"
        assert data[:n] == blob(n)
        data = data[n:]
    assert data == b""


def test_pipelined_requests_wait_for_a_slow_one(httpd):
    server = httpd()
    with server.connect() as client:
        client.send(head("/gate") + head("/any"))
        wait_until(lambda: server.get("/inside").body == b"1", "the first is being handled")
        assert not select.select([client.socket], [], [], 0)[0]
        assert go(server) == 200
        client.socket.shutdown(socket.SHUT_WR)
        data = read_to_end(client)
    assert statuses(data) == [200, 200]
    assert data.index(b"\r\n\r\nthrough\n") < data.index(b"\r\n\r\nGET /any")


def go(server):
    with server.connect() as client:
        client.request("/go", method="POST", body=b"", headers=["Connection: close"])
        return client.answer().status


def test_more_pipelined_requests_than_are_read_ahead(httpd):
    """The server stops reading behind a slow request; what waits in the kernel is answered after it."""
    server = httpd()
    many = head("/any") * 20000
    with server.connect() as client:
        client.send(head("/gate"))
        wait_until(lambda: server.get("/inside").body == b"1", "the first is being handled")
        go(server)
        client.socket.setblocking(False)
        rest, data = many.encode(), b""
        while rest or data.count(b"GET /any") < 20000:
            readable, writable, _ = select.select([client.socket],
                                                  [client.socket] if rest else [], [], 30)
            assert readable or writable, f"{data.count(b'HTTP/1.1')} answers"
            if writable:
                rest = rest[client.socket.send(rest):]
            if readable:
                piece = client.socket.recv(1 << 20)
                assert piece
                data += piece
    assert statuses(data) == [200] * 20001


# -- bodies --


def digest(body):
    return f"{len(body)} {hashlib.sha256(body).hexdigest()}\n".encode()


@pytest.mark.parametrize("size", [0, 1, 16384, 1000000])
def test_a_body_arrives_whole(demo, size):
    body = os.urandom(size)
    with demo().connect() as client:
        client.request("/echo", method="POST", body=body)
        assert client.answer().body == digest(body)
        assert client.get("/test").status == 200


def chunked(body, piece):
    out = b""
    for at in range(0, len(body), piece):
        part = body[at:at + piece]
        out += b"%x;name=value\r\n%s\r\n" % (len(part), part)
    return out + b"0\r\nTrailer: ignored\r\n\r\n"


@pytest.mark.parametrize("piece", [1, 7, 5000])
def test_a_body_in_chunks_arrives_whole(demo, piece):
    body = os.urandom(5000)
    with demo().connect() as client:
        client.send(head("/echo", "Transfer-Encoding: chunked", method="POST"))
        client.send(chunked(body, piece))
        assert client.answer().body == digest(body)
        assert client.get("/test").status == 200


def test_a_request_byte_by_byte(demo):
    request = head("/echo", "Transfer-Encoding: chunked", method="POST").encode() + chunked(b"hello", 2)
    with demo().connect() as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request:
            client.send(bytes([byte]))
        assert client.answer().body == digest(b"hello")


def test_continue_is_said_before_the_body_is_read(demo):
    with demo().connect() as client:
        client.send(head("/echo", "Expect: 100-continue", "Content-Length: 5", method="POST"))
        interim = client.socket.recv(100)
        assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"hello")
        assert client.answer().body == digest(b"hello")
        assert client.get("/test").status == 200


@pytest.mark.parametrize("path, length, status", [("/nowhere", 5, 404), ("/test", 5, 405),
                                                  ("/echo", 10**9, 413)])
def test_no_continue_for_a_body_that_is_not_wanted(demo, path, length, status):
    with demo().connect() as client:
        client.send(head(path, "Expect: 100-continue", f"Content-Length: {length}", method="POST"))
        data = read_to_end(client)
        assert statuses(data) == [status] and b"\r\nConnection: close\r\n" in data


# -- what it refuses --

POST = "POST /echo HTTP/1.1\r\nHost: a\r\n"
GET = "GET /test HTTP/1.1\r\n"
OK = GET + "Host: a\r\n\r\n"

REFUSED = [
    ("space before the colon", GET + "Host : a\r\n\r\n", 400),
    ("obs-fold", GET + "Host: a\r\nA: b\r\n c\r\n\r\n", 400),
    ("space before the first field", GET + " Host: a\r\n\r\n", 400),
    ("no Host", GET + "\r\n", 400),
    ("two Hosts", GET + "Host: a\r\nHost: a\r\n\r\n", 400),
    ("bad Host", GET + "Host: a/b\r\n\r\n", 400),
    ("HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    ("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505),
    ("HTTP/0.9", "GET /\r\n\r\n", 400),
    ("lower case version", "GET / http/1.1\r\nHost: a\r\n\r\n", 400),
    ("unknown method", "BREW /test HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    ("RTSP method", "DESCRIBE /test HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    ("lower case method", "get /test HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    ("CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    ("method of no characters", " /test HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("two spaces in the request line", "GET  /test HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("tab in the request line", "GET\t/test HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("relative target", "GET test HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("fragment", "GET /test#a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("control character in the target", "GET /te\x01st HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("zero byte in the target", "GET /te\0st HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("zero byte in a value", GET + "Host: a\0\r\n\r\n", 400),
    ("zero byte in a name", GET + "Host: a\r\nA\0: b\r\n\r\n", 400),
    ("bad character in a name", GET + "Host: a\r\nA(: b\r\n\r\n", 400),
    ("empty name", GET + "Host: a\r\n: b\r\n\r\n", 400),
    ("no colon", GET + "Host: a\r\nA\r\n\r\n", 400),
    ("bare LF after the request line", "GET /test HTTP/1.1\nHost: a\r\n\r\n", 400),
    ("bare LF after a field", GET + "Host: a\n\r\n", 400),
    ("bare LF at the end", GET + "Host: a\r\n\n", 400),
    ("bare CR in a value", GET + "Host: a\r\nA: b\rC: d\r\n\r\n", 400),
    ("CR CR LF", GET + "Host: a\r\r\n\r\n", 400),
    ("both lengths", POST + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("both lengths, other order", POST + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400),
    ("two equal lengths", POST + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400),
    ("two different lengths", POST + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
    ("list of lengths", POST + "Content-Length: 5, 5\r\n\r\nhello", 400),
    ("signed length", POST + "Content-Length: +5\r\n\r\nhello", 400),
    ("negative length", POST + "Content-Length: -5\r\n\r\nhello", 400),
    ("hexadecimal length", POST + "Content-Length: 0x5\r\n\r\nhello", 400),
    ("empty length", POST + "Content-Length:\r\n\r\n", 400),
    ("length beyond 64 bits", POST + "Content-Length: 18446744073709551621\r\n\r\nhello", 413),
    ("chunked twice", POST + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    ("chunked in two fields",
     POST + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("chunked with a parameter", POST + "Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n", 400),
    ("unknown coding", POST + "Transfer-Encoding: gzip\r\n\r\n", 501),
    ("unknown coding before chunked", POST + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    ("identity", POST + "Transfer-Encoding: identity\r\n\r\n", 501),
    ("chunked with a vertical tab", POST + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400),
    ("chunked in HTTP/1.0", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("bad expectation", POST + "Expect: a\r\nContent-Length: 5\r\n\r\nhello", 417),
    ("chunk size that is none", POST + "Transfer-Encoding: chunked\r\n\r\ng\r\n", 400),
    ("signed chunk size", POST + "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n", 400),
    ("chunk size with 0x", POST + "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n", 400),
    ("chunk size with a space", POST + "Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n", 400),
    ("chunk size beyond 64 bits",
     POST + "Transfer-Encoding: chunked\r\n\r\n11111111111111111\r\nhello\r\n", 400),
    ("chunk size line ends in LF", POST + "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", 400),
    ("chunk ends in LF", POST + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n", 400),
    ("chunk longer than its size", POST + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n", 400),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    ("binary", bytes(range(128, 256)), 400),
]


@pytest.mark.parametrize("data, status", [(d, s) for _, d, s in REFUSED], ids=[n for n, _, _ in REFUSED])
def test_a_malformed_request_is_refused_and_nothing_behind_it_is_answered(demo, data, status):
    server = demo()
    data = data.encode("latin-1") if isinstance(data, str) else data
    with server.connect() as client:
        client.send(OK.encode() + data + OK.encode())
        answers = read_to_end(client)
    assert statuses(answers) == [200, status], answers
    assert b"\r\nConnection: close\r\n" in answers
    assert server.get("/test").status == 200


@pytest.mark.parametrize("data", [
    "\r\n\r\n" + OK,
    "GET http://elsewhere/test HTTP/1.1\r\nHost: a\r\n\r\n",
    GET + "Host:\r\n\r\n",
    GET + "HOST: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
    GET + "Host: a\r\nA:\tb\t\r\nC:\r\nD: \xff\r\n\r\n",
])
def test_unusual_requests_that_are_right_are_answered(demo, data):
    answers = exchange(demo(), data.encode("latin-1"))
    assert statuses(answers) == [200] and answers.endswith(b"test 22222")


def test_fields_arrive_in_order_and_trimmed(httpd):
    data = exchange(httpd(), GET.replace("/test", "/fields") + "Host: a\r\nB:  c d \t\r\nE:\r\nb: 2\r\n\r\n")
    assert data.endswith(b"Host=a\nB=c d\nE=\nb=2\n")


def test_limits_of_the_head(demo):
    server = demo()
    assert server.get("/test?" + "a" * 8000).status == 200
    assert statuses(exchange(server, head("/test?" + "a" * 9000))) == [414]
    assert statuses(exchange(server, b"GET /" + b"a" * 100000)) == [414]
    assert statuses(exchange(server, head("/test", "A: " + "a" * 15000))) == [200]
    assert statuses(exchange(server, head("/test", "A: " + "a" * 17000))) == [431]
    assert statuses(exchange(server, head("/test", *["A: b"] * 99))) == [200]
    assert statuses(exchange(server, head("/test", *["A: b"] * 100))) == [431]


def test_limits_are_the_hosts_choice(httpd):
    server = httpd("head_size=100000", "body_size=10")
    assert statuses(exchange(server, head("/any", "A: " + "a" * 90000))) == [200]
    assert statuses(exchange(server, head("/any", "A: " + "a" * 110000))) == [431]
    with server.connect() as client:
        client.request("/any", method="PUT", body=b"x" * 10)
        assert client.answer().status == 200
    with server.connect() as client:
        client.request("/any", method="PUT", body=b"x" * 11)
        assert client.answer().status == 413
    data = head("/any", "Transfer-Encoding: chunked", method="PUT").encode() + chunked(b"x" * 11, 4)
    assert statuses(exchange(server, data)) == [413]


def test_a_refusal_reaches_a_client_that_is_still_sending(demo):
    """The answer must not be destroyed by the reset that closing with unread input sends."""
    with demo().connect() as client:
        client.send(head("/echo", "Content-Length: 100000000", method="POST"))
        client.send(b"x" * 500000)
        assert statuses(read_to_end(client)) == [413]


# -- time --


def test_a_slow_head_times_out(demo):
    server = demo("--head-timeout", 0.3)
    with server.connect() as client:
        client.send("GET /test HT")
        assert statuses(read_to_end(client)) == [408]


def test_a_slow_body_times_out(demo):
    server = demo("--read-timeout", 0.3)
    with server.connect() as client:
        client.send(head("/echo", "Content-Length: 5", method="POST") + "hel")
        assert statuses(read_to_end(client)) == [408]


def test_a_dribble_does_not_put_the_timeout_off(demo):
    server = demo("--head-timeout", 0.3)
    with server.connect() as client:
        client.send("GET /test HTTP/1.1\r\nHost: a\r\n")
        while not select.select([client.socket], [], [], 0.05)[0]:
            client.send("A: b\r\n")
        assert statuses(read_to_end(client)) == [408]


def test_an_idle_connection_is_closed_cleanly(demo):
    server = demo("--idle-timeout", 0.3)
    with server.connect() as client:
        assert client.get("/test").status == 200
        assert read_to_end(client) == b""


def test_a_connection_that_says_nothing_is_closed_cleanly(demo):
    with demo("--head-timeout", 0.3).connect() as client:
        assert read_to_end(client) == b""


def test_a_handler_may_take_longer_than_any_timeout(demo):
    server = demo("--hello-delay", 0.6, "--head-timeout", 0.1, "--read-timeout", 0.1,
                  "--write-timeout", 0.1, "--idle-timeout", 0.1)
    assert server.get("/hello").status == 200


def result(server):
    return int(server.get("/result").body)


def test_a_stream_to_a_client_that_reads_nothing_ends_with_the_write_timeout(httpd):
    server = httpd("write_ms=300")
    with server.connect() as client:
        client.send(head("/written?bytes=1000000000&piece=100000"))
        wait_until(lambda: result(server) == -110, "the write times out")


def test_a_stream_to_a_client_that_is_gone_ends(httpd):
    server = httpd()
    with server.connect() as client:
        client.send(head("/written?bytes=1000000000&piece=100000"))
        assert client.socket.recv(1000)
    wait_until(lambda: result(server) in (-104, -32), "the write fails")


def test_a_slow_reader_is_no_timeout_while_it_reads(httpd):
    server = httpd("write_ms=400")
    size = 30000000
    with server.connect() as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.send(head(f"/produced?bytes={size}", "Connection: close"))
        count = 0
        while piece := client.socket.recv(1 << 18):
            count += len(piece)
    assert count > size


# -- streams --


@pytest.mark.parametrize("path", ["/written?piece=10&bytes=", "/written?piece=300000&bytes=", "/produced?bytes="])
@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 3000000])
def test_a_stream_is_complete(httpd, path, size):
    server = httpd()
    with server.connect() as client:
        answer = client.get(path + str(size))
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert answer.body == blob(size)
        assert client.get("/any").status == 200, "the connection goes on"


@pytest.mark.parametrize("path", ["/written?piece=1000&bytes=100000", "/produced?bytes=100000"])
def test_a_stream_to_http_1_0_ends_with_the_connection(httpd, path):
    data = exchange(httpd(), f"GET {path} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    top, body = data.split(b"\r\n\r\n", 1)
    assert b"Connection: close" in top and b"Transfer-Encoding" not in top
    assert body == blob(100000)


@pytest.mark.parametrize("path", ["/written?piece=1000&bytes=100000", "/produced?bytes=100000"])
def test_head_of_a_stream_has_no_body(httpd, path):
    data = exchange(httpd(), head(path, method="HEAD") + head("/any"))
    assert statuses(data) == [200, 200]
    assert data.endswith(b"\r\n\r\nGET /any")


def test_a_flushed_piece_arrives_while_the_handler_goes_on(httpd):
    server = httpd()
    with server.connect() as client:
        client.send(head("/flushed"))
        data = b""
        while not data.endswith(b"4\r\none\n\r\n"):
            data += client.socket.recv(1000)
        go(server)
        while not data.endswith(b"4\r\ntwo\n\r\n0\r\n\r\n"):
            piece = client.socket.recv(1000)
            assert piece
            data += piece


@pytest.mark.parametrize("path, begun", [("/torn", b"6\r\nbegun\n\r\n"), ("/short", b"ABCDE")])
def test_a_stream_that_fails_does_not_look_complete(httpd, path, begun):
    server = httpd()
    with server.connect() as client:
        client.send(head(path))
        data = b""
        try:
            while piece := client.socket.recv(1000):
                data += piece
        except ConnectionResetError:
            pass
    assert data.endswith(begun), data


def test_a_handler_that_breaks_the_rules_gives_500(httpd):
    answer = httpd().get("/wrong")
    assert (answer.status, answer.body) == (500, b"500 Internal Server Error\n")


def memory(process, field):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return int(re.search(rf"^{field}:\s*(\d+) kB$", file.read(), re.MULTILINE)[1]) * 1024


@pytest.mark.parametrize("program, path", [("demo", "/blob?bytes={}"),
                                           ("httpd", "/written?piece=1000000&bytes={}"),
                                           ("httpd", "/produced?bytes={}")])
def test_gigabytes_do_not_sit_in_memory(demo, httpd, program, path):
    server = demo() if program == "demo" else httpd()
    with server.connect() as client:
        client.get(path.format(1000000))
        before = memory(server.current, "VmRSS")
        client.send(head(path.format(4000000000)))
        count = 0
        while count < 50000000:
            count += len(client.socket.recv(1 << 20))
        assert memory(server.current, "VmHWM") - before < 32 << 20


# -- many at once --


def test_64_blocking_handlers_run_at_the_same_time(httpd):
    server = httpd()
    clients = [server.connect() for _ in range(64)]
    for client in clients:
        client.request("/gate")
    wait_until(lambda: server.get("/inside").body == b"64", "all are in their handlers")
    go(server)
    for client in clients:
        assert client.answer().body == b"through\n"
        client.close()


def test_beyond_the_pool_handlers_wait_their_turn(httpd):
    server = httpd("pool=4")
    clients = [server.connect() for _ in range(64)]
    for client in clients:
        client.request("/gate")
    wait_until(lambda: server.get("/inside").body == b"4", "the pool is busy")
    assert server.get("/any").status == 200, "the loops are not"
    go(server)
    for client in clients:
        assert client.answer().body == b"through\n"
        client.close()


def test_64_sleeping_handlers_all_answer(demo):
    server = demo("--hello-delay", 1)
    clients = [server.connect() for _ in range(64)]
    for client in clients:
        client.request("/hello")
    wait_until(lambda: len(os.listdir(f"/proc/{server.current.pid}/task")) >= 65,
               "each has a thread")
    for client in clients:
        assert client.answer().body == b"hello world233333!!!!"
        client.close()


def test_connections_beyond_the_limit_get_503(httpd):
    server = httpd("connections=5")
    clients = [server.connect() for _ in range(5)]
    for client in clients:
        assert client.get("/any").status == 200
    with server.connect() as client:
        data = read_to_end(client)
        assert statuses(data) == [503] and b"\r\nConnection: close\r\n" in data
    clients.pop().close()
    wait_until(lambda: server.get("/any").status == 200, "there is room again")
    assert all(client.get("/any").status == 200 for client in clients)
    for client in clients:
        client.close()


# -- the host --


def test_hooks_log_sink_and_stop_from_code(httpd):
    server = httpd()
    # It answers as soon as its workers accept, which may be before it has said that it serves.
    server.log.wait_for(re.compile("serving on"))
    with server.connect() as client:
        client.request("/stop", method="POST", body=b"", headers=["Connection: close"])
        assert client.answer().body == b"0"
    server.stopped = True
    assert server.current.wait_exit() == 0
    text = server.log.text()
    port = server.address[1][1]
    assert text.count(f"address tcp://127.0.0.1:{port} 1\n") == 1
    assert f"httpd: serving on tcp://127.0.0.1:{port} (generation 1)\n" in text
    assert text.count("shutdown\n") == 1
    assert text.endswith("returned 0\n")


def test_restart_from_code(httpd):
    server = httpd()
    first = server.current
    with server.connect() as client:
        client.request("/restart", method="POST", body=b"", headers=["Connection: close"])
        assert client.answer().body == b"0"
    server.log.wait_for(re.compile(r"serving on .* \(generation 2\)"))
    assert first.wait_exit() == 0
    pid = int(re.search(r"serving \(pid (\d+), generation 2\)", server.log.text())[1])
    os.kill(pid, signal.SIGTERM)
    server.log.wait_for(re.compile(r"returned 0\n(.*\n)*returned 0"))
    server.stopped = True


def test_the_second_signal_does_not_wait_for_a_handler(httpd):
    server = httpd()
    with server.connect() as client:
        client.send(head("/gate"))
        wait_until(lambda: server.get("/inside").body == b"1", "the handler runs")
        server.current.signal(signal.SIGTERM)
        server.log.wait_for(re.compile("stopping"))
        server.current.signal(signal.SIGTERM)
        server.stopped = True
        assert server.current.wait_exit() == 1
    text = server.log.text()
    # The connection that asked /inside may still wait for its peer's end.
    assert re.search("cut off (1 connection|2 connections), 1 request still in a handler", text)
    assert text.endswith("returned -4\n")


def test_signals_of_the_host_are_left_alone(demo):
    """SIGPIPE keeps its disposition, and the library's threads take no signals."""
    server = demo("--threads", 3, "--hello-delay", 0.01)
    server.get("/hello")
    with open(f"/proc/{server.current.pid}/status", encoding="ascii") as file:
        status = file.read()
    for field in ("SigIgn", "SigCgt"):
        mask = int(re.search(rf"^{field}:\s*([0-9a-f]+)$", status, re.MULTILINE)[1], 16)
        assert not mask >> (signal.SIGPIPE - 1) & 1
    tasks = f"/proc/{server.current.pid}/task"
    for task in os.listdir(tasks):
        with open(f"{tasks}/{task}/status", encoding="ascii") as file:
            mask = int(re.search(r"^SigBlk:\s*([0-9a-f]+)$", file.read(), re.MULTILINE)[1], 16)
        if int(task) != server.current.pid:
            assert mask >> (signal.SIGPIPE - 1) & 1 and mask >> (signal.SIGCHLD - 1) & 1


# -- how it ends --


def test_a_stop_closes_idle_connections_cleanly_and_answers_fresh_ones(demo):
    server = demo()
    with server.connect() as idle, server.connect() as fresh:
        idle.get("/test")
        wait_until(lambda: sum(row.kind == "socket AF_INET SOCK_STREAM"
                               for row in server.current.fd_table()) == 2, "both were accepted")
        server.current.signal(signal.SIGTERM)
        server.stopped = True
        assert read_to_end(idle) == b""
        answer = fresh.get("/test")
        assert (answer.status, answer.headers["Connection"]) == (200, "close")
    assert server.current.wait_exit() == 0


def test_a_stop_lets_a_stream_finish(httpd):
    server = httpd()
    with server.connect() as client:
        client.send(head("/flushed"))
        data = b""
        while not data.endswith(b"4\r\none\n\r\n"):
            data += client.socket.recv(1000)
        with server.connect() as other:
            server.current.signal(signal.SIGTERM)
            server.stopped = True
            server.log.wait_for(re.compile("stopping"))
            other.request("/go", method="POST", body=b"")
            assert other.answer().status == 200
        data = read_to_end(client)
        assert data.endswith(b"two\n\r\n0\r\n\r\n")
    assert server.current.wait_exit() == 0


# -- curl --


@pytest.mark.parametrize("options, expected", [
    (["/test"], "test 22222"),
    (["/test", "/test", "/test"], "test 22222" * 3),
    (["--http1.0", "/test"], "test 22222"),
    (["--data", "hello", "/echo"], digest(b"hello").decode()),
    (["--data-binary", "@-", "/echo"], digest(b"x" * 2000000).decode()),
    (["-X", "POST", "-T", "-", "/echo"], digest(b"x" * 2000000).decode()),
    (["-X", "POST", "-H", "Transfer-Encoding: chunked", "-d", "hello", "/echo"], digest(b"hello").decode()),
    (["/blob?bytes=3000000"], blob(3000000).decode()),
], ids=["get", "three", "http1.0", "post", "post-large", "upload", "chunked", "blob"])
def test_curl(demo, options, expected):
    host, port = demo().address[1][:2]
    argv = [f"http://{host}:{port}{o}" if o.startswith("/") else o for o in options]
    out = subprocess.run(["curl", "-sS", "--fail", "--max-time", "30", *argv], input=b"x" * 2000000,
                         capture_output=True, check=True)
    assert out.stdout.decode() == expected
