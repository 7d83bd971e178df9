# SPDX-License-Identifier: MIT
"""WebSockets: the handshake, messages, pings, closes and their codes, limits, back-pressure, stops."""

import re
import select
import signal
import socket
import struct

import pytest

import httpd as programs
from httpd import await_inside, exchange, go, statuses
from waiting import wait_until
from websocket import (BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, WebSocket, close_payload, frame, handshake)


@pytest.fixture
def httpd(household):
    return lambda *settings: programs.start(household, *settings)


def await_code(server, code):
    wait_until(lambda: server.get("/ws-codes").body.decode().split()[-1:] == [str(code)],
               lambda: f"{code}: {server.get('/ws-codes').body}")


def test_messages_come_back(httpd):
    server = httpd()
    with server.connect() as client:
        socket_ = WebSocket(client)
        for opcode, payload in ((TEXT, b"hello"), (BINARY, bytes(range(256))), (TEXT, "ünï".encode()), (TEXT, b""),
                                (BINARY, b"x" * 125), (BINARY, b"x" * 126), (BINARY, b"x" * 65535),
                                (BINARY, b"x" * 100000)):
            socket_.send(opcode, payload)
            assert socket_.receive() == (opcode, payload)
        socket_.send(CLOSE, close_payload(1000, b"bye"))
        assert socket_.receive() == (CLOSE, close_payload(1000, b"bye"))
        assert socket_.at_end()
    await_code(server, 1000)


def test_the_demo_echoes(demo):
    with demo().connect() as client:
        socket_ = WebSocket(client)
        socket_.send(TEXT, b"hello")
        assert socket_.receive() == (TEXT, b"hello")


def test_a_frame_behind_the_handshake_and_byte_by_byte(httpd):
    server = httpd()
    with server.connect() as client:
        client.send(handshake().encode() + frame(TEXT, b"early"))
        data = programs.read_until(client, b"\x81\x05early")
        assert b" 101 " in data
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in frame(TEXT, b"slow"):
            client.send(bytes([byte]))
        programs.read_until(client, b"\x81\x04slow")


def test_fragments_are_put_together_and_pings_answered_between(httpd):
    with httpd().connect() as client:
        socket_ = WebSocket(client)
        socket_.send(TEXT, b"one ", fin=False)
        socket_.send(PING, b"?")
        assert socket_.receive() == (PONG, b"?")
        socket_.send(CONTINUATION, b"two ", fin=False)
        socket_.send(CONTINUATION, b"three")
        assert socket_.receive() == (TEXT, b"one two three")


def test_many_messages_at_once(httpd):
    with httpd().connect() as client:
        socket_ = WebSocket(client)
        client.send(b"".join(frame(TEXT, b"%d" % n) for n in range(5000)))
        for n in range(5000):
            assert socket_.receive() == (TEXT, b"%d" % n)


@pytest.mark.parametrize("fields, status", [
    ({"Upgrade": None}, 426), ({"Upgrade": "something"}, 426), ({"Connection": "keep-alive"}, 426),
    ({"Sec-WebSocket-Version": "8"}, 426), ({"Sec-WebSocket-Version": None}, 426),
    ({"Sec-WebSocket-Key": None}, 400), ({"Sec-WebSocket-Key": "short"}, 400),
    ({"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAAA="}, 400), ({"Sec-WebSocket-Key": "A" * 100}, 400),
])
def test_a_bad_handshake_is_refused_and_the_connection_goes_on(httpd, fields, status):
    server = httpd()
    request = handshake(**{name.replace("-", "_"): value for name, value in fields.items()})
    with server.connect() as client:
        client.send(request)
        answer = client.answer()
        assert answer.status == status
        if status == 426:
            assert answer.headers["Sec-WebSocket-Version"] == "13" and answer.headers["Upgrade"] == "websocket"
        assert client.get("/any").status == 200


def test_the_host_may_refuse_or_choose(httpd):
    server = httpd()
    with server.connect() as client:
        client.send(handshake("/ws?no"))
        assert client.answer().status == 403
        client.send(handshake("/ws?busy"))
        assert client.answer().status == 503
        assert client.get("/any").status == 200
        socket_ = WebSocket(client, "/ws?hello", Sec_WebSocket_Protocol="chat")
        assert "\r\nSec-WebSocket-Protocol: chat" in socket_.head
        assert socket_.receive() == (TEXT, b"hello")
    assert statuses(exchange(server, "POST /ws HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")) == [405]


BAD = [
    ("not masked", frame(TEXT, b"a", mask=None), 1002),
    ("reserved bit", frame(TEXT, b"a", rsv=4), 1002),
    ("reserved opcode", frame(3, b"a"), 1002),
    ("reserved control opcode", frame(11, b"a"), 1002),
    ("fragmented ping", frame(PING, b"a", fin=False), 1002),
    ("long ping", frame(PING, b"a" * 126), 1002),
    ("continuation of nothing", frame(CONTINUATION, b"a"), 1002),
    ("text within a fragmented message", frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"), 1002),
    ("close of one byte", frame(CLOSE, b"a"), None),
    ("close with code 999", frame(CLOSE, close_payload(999)), 1002),
    ("close with code 1005", frame(CLOSE, close_payload(1005)), 1002),
    ("close with a reason that is no UTF-8", frame(CLOSE, close_payload(1000, b"\xff")), 1007),
    ("text that is no UTF-8", frame(TEXT, b"\xc3\x28"), 1007),
    ("text that ends within a character", frame(TEXT, b"\xc3"), 1007),
    ("text of a surrogate", frame(TEXT, b"\xed\xa0\x80"), 1007),
    ("too large", frame(BINARY, b"a", length=100001), 1009),
    ("too large in pieces", frame(BINARY, b"a" * 60000, fin=False) + frame(CONTINUATION, b"a" * 60000), 1009),
    ("larger than memory", frame(BINARY, b"a", length=2**62), 1009),
    ("length beyond 63 bits", b"\x82\xff" + struct.pack(">Q", 2**63) + b"mask", 1002),
]


@pytest.mark.parametrize("_, data, code", BAD, ids=[name for name, *_ in BAD])
def test_what_breaks_the_protocol_is_closed_with_its_code(httpd, _, data, code):
    server = httpd()
    with server.connect() as client:
        socket_ = WebSocket(client)
        client.send(data)
        opcode, payload = socket_.receive()
        assert opcode == CLOSE and (code is None or struct.unpack(">H", payload[:2])[0] == code)
        assert socket_.at_end()
    wait_until(lambda: server.get("/ws-codes").body, "its end was told")


def test_the_host_closes(httpd):
    server = httpd()
    with server.connect() as client:
        socket_ = WebSocket(client)
        socket_.send(TEXT, b"close")
        assert socket_.receive() == (CLOSE, close_payload(3000, b"as you wish"))
        socket_.send(CLOSE, close_payload(3000))
        assert socket_.at_end()
    await_code(server, 3000)


def test_a_client_that_goes_without_a_word(httpd):
    server = httpd()
    with server.connect() as client:
        WebSocket(client)
    await_code(server, 1006)
    with server.connect() as client:
        socket_ = WebSocket(client)
        socket_.send(CLOSE)
        assert socket_.receive()[0] == CLOSE
    await_code(server, 1005)


def test_a_silent_client_is_asked_and_then_given_up(httpd):
    server = httpd()
    with server.connect() as client:
        socket_ = WebSocket(client, "/ws-silent")
        assert socket_.receive() == (PING, b"")
        with pytest.raises((EOFError, ConnectionResetError)):
            socket_.receive()
    await_code(server, 1006)


def test_a_client_that_does_not_read_costs_a_bounded_queue(demo):
    with demo().connect() as client:
        socket_ = WebSocket(client)
        data = frame(BINARY, b"x" * 50000)
        client.socket.setblocking(False)
        sent = 0
        while select.select([], [client.socket], [], 0.5)[1]:
            try:
                sent += client.socket.send(data[sent % len(data):])
            except BlockingIOError:
                pass
            assert sent < 1 << 30, "it takes no end of it"
        client.socket.setblocking(True)
        count = 0
        client.socket.settimeout(30)
        while count < sent // len(data):
            assert socket_.receive() == (BINARY, b"x" * 50000)
            count += 1


def test_a_full_queue_says_so_and_when_there_is_room(httpd):
    with httpd().connect() as client:
        socket_ = WebSocket(client)
        socket_.send(TEXT, b"flood")
        for _ in range(200):
            assert socket_.receive() == (BINARY, bytes(1000))
        for n in range(1000, 0, -1):
            assert socket_.receive() == (TEXT, b"%d" % n)


def test_another_thread_sends(httpd):
    server = httpd()
    with server.connect() as client, server.connect() as other:
        first = WebSocket(client, "/ws-late")
        WebSocket(other, "/ws-late")
        other.close()
        await_inside(server, 2)
        go(server)
        assert first.receive() == (TEXT, b"late")


def test_a_stop_says_that_it_goes(httpd):
    server = httpd()
    with server.connect() as client:
        socket_ = WebSocket(client)
        server.current.signal(signal.SIGTERM)
        server.stopped = True
        assert socket_.receive() == (CLOSE, close_payload(1001))
        socket_.send(CLOSE, close_payload(1001))
        assert socket_.at_end()
    assert server.current.wait_exit() == 0


def test_the_log_and_the_metrics_know_of_it(demo, tmp_path):
    path = tmp_path / "access"
    server = demo("--access-log", path)
    with server.connect() as client:
        WebSocket(client)
        wait_until(lambda: re.search(rb'"GET /ws HTTP/1.1" 101 0 ', path.read_bytes()), "a line")
        # Its client may know of it before its loop has counted it.
        wait_until(lambda: b'hotstart_http_connections{state="websocket"} 1\n' in server.get("/metrics").body,
                   "it is counted")
