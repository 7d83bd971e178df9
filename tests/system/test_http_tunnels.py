# SPDX-License-Identifier: MIT
"""Tunnels: the requests for them, bytes both ways, either side's end, back-pressure, stops."""

import os
import signal

import pytest

import httpd as programs
from httpd import await_inside, exchange, go, head, statuses
from tunnel import Tunnel, handshake
from waiting import wait_until


@pytest.fixture
def httpd(household):
    return lambda *settings: programs.start(household, *settings)


def await_ends(server, *ends):
    wait_until(lambda: server.get("/tunnel-ends").body.decode().split() == [str(end) for end in ends],
               lambda: f"{ends}: {server.get('/tunnel-ends').body}")


CONNECT = "CONNECT b.test:443 HTTP/1.1\r\nHost: b.test:443\r\n\r\n"


def test_bytes_come_back_and_both_sides_end(httpd):
    server = httpd()
    with server.connect() as client:
        tunnel = Tunnel(client, handshake("/tunnel?hello"))
        assert "\r\nConnection: Upgrade\r\nUpgrade: echo" in tunnel.head and "Content-" not in tunnel.head
        assert tunnel.take(5) == b"hello"
        for data in (b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)), os.urandom(100000)):
            tunnel.send(data)
            assert tunnel.take(len(data)) == data
        tunnel.send(b"last")
        tunnel.end()
        assert tunnel.rest() == b"last"
    await_ends(server, 0)


def test_connect(httpd):
    server = httpd()
    with server.connect() as client:
        tunnel = Tunnel(client, CONNECT, 200)
        assert "\r\nX-Target: b.test:443" in tunnel.head
        assert "Content-" not in tunnel.head and "Transfer-" not in tunnel.head
        tunnel.send(b"through")
        assert tunnel.take(7) == b"through"
    await_ends(server, 0)


def test_bytes_behind_the_request_are_the_tunnels(httpd):
    with httpd().connect() as client:
        tunnel = Tunnel(client, handshake().encode() + b"early")
        assert tunnel.take(5) == b"early"


def test_the_client_ends_first_and_the_host_says_more(httpd):
    server = httpd()
    with server.connect() as client:
        tunnel = Tunnel(client, handshake("/tunnel-half", "echo/1.0"))
        tunnel.send(b"some")
        tunnel.end()
        assert tunnel.rest() == b"somebye"
    await_ends(server, 0)


def test_full_speed_both_ways(httpd):
    data = os.urandom(1 << 20) * 32
    with httpd().connect() as client:
        assert Tunnel(client).pump(data) == data


def test_who_does_not_read_has_to_wait(demo):
    server = demo()
    with server.connect() as client:
        tunnel = Tunnel(client)
        tunnel.socket.setblocking(False)
        sent = 0
        with pytest.raises(BlockingIOError):
            while sent < 1 << 28:
                sent += tunnel.socket.send(b"x" * 65536)
        tunnel.socket.setblocking(True)
        assert tunnel.take(sent) == b"x" * sent


def test_what_is_not_taken_comes_again(httpd):
    server = httpd()
    with server.connect() as client:
        tunnel = Tunnel(client, handshake("/tunnel-slow"))
        tunnel.send(b"0123456789")
        assert tunnel.take(3) == b"012"
        await_inside(server, 1)
        tunnel.end()
        go(server)
        assert tunnel.rest() == b"3456789"
    await_ends(server, 0)


def test_a_silent_one_is_given_up(httpd):
    server = httpd()
    with server.connect() as client:
        tunnel = Tunnel(client, handshake("/tunnel-silent"))
        tunnel.send(b"x")
        assert tunnel.take(1) == b"x"
        await_ends(server, -110)


def test_a_client_that_breaks_off(httpd):
    server = httpd()
    with server.connect() as client:
        tunnel = Tunnel(client)
        tunnel.send(b"x" * 100000)
        tunnel.take(1)
        client.socket.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER: a reset
    await_ends(server, -104)


@pytest.mark.parametrize("request_, status", [
    (head("/tunnel"), 426),
    (head("/tunnel", "Upgrade: echo"), 426),
    (head("/tunnel", "Connection: Upgrade", "Upgrade: other"), 426),
    (handshake("/tunnel", "echo", "Content-Length: 0"), 400),
    (head("/tunnel", "Connection: Upgrade", "Upgrade: echo", method="POST"), 405),
    (handshake().replace("HTTP/1.1", "HTTP/1.0"), 426),
    (handshake("/tunnel?no"), 403),
    (CONNECT.replace("b.test:443", "no.test:1"), 403),
    (CONNECT.replace("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n"), 400),
    ("CONNECT b.test HTTP/1.1\r\nHost: b.test\r\n\r\n", 400),
    ("CONNECT b.test: HTTP/1.1\r\nHost: b.test\r\n\r\n", 400),
    ("CONNECT b.test:123456 HTTP/1.1\r\nHost: b.test\r\n\r\n", 400),
    ("CONNECT b.test:12a HTTP/1.1\r\nHost: b.test\r\n\r\n", 400),
    ("CONNECT :80 HTTP/1.1\r\nHost: b.test\r\n\r\n", 400),
    ("CONNECT /tunnel HTTP/1.1\r\nHost: b.test\r\n\r\n", 400),
    ("CONNECT u@b.test:1 HTTP/1.1\r\nHost: b.test\r\n\r\n", 400),
    ("CONNECT [::1]:80 HTTP/1.1\r\nHost: b.test\r\n\r\n", 200),
])
def test_requests_that_are_none(httpd, request_, status):
    server = httpd()
    assert statuses(exchange(server, request_)) == [status]


def test_a_426_says_what_is_spoken_here(httpd):
    server = httpd()
    with server.connect() as client:
        client.send(head("/tunnel-half"))
        answer = client.answer()
        assert answer.status == 426 and answer.headers["Upgrade"] == "echo/1.0"
        assert client.get("/any").status == 200


def test_a_stop_ends_our_side(httpd):
    server = httpd()
    with server.connect() as client:
        tunnel = Tunnel(client)
        tunnel.send(b"x")
        assert tunnel.take(1) == b"x"
        server.current.signal(signal.SIGTERM)
        server.stopped = True
        assert tunnel.rest() == b""
        client.close()
    assert server.current.wait_exit() == 0


def test_the_metrics_know_of_it(demo):
    server = demo()
    with server.connect() as client:
        Tunnel(client)
        # Its client may know of it before its loop has counted it.
        wait_until(lambda: b'hotstart_http_connections{state="tunnel"} 1\n' in server.get("/metrics").body,
                   "it is counted")
