# SPDX-License-Identifier: MIT
"""HTTP/2: what RFC 9113 says of a server, its limits against floods, and restarts."""

import hashlib
import os
import signal
import socket
import subprocess
import threading

import pytest

from http2 import GET, PREFACE, Http2Client, frames, request
from server import Client, Household
from tls import Pair, both_addresses, trusting
from waiting import wait_until

NO_ERROR, PROTOCOL_ERROR, FLOW_CONTROL_ERROR = 0, 1, 3
STREAM_CLOSED, FRAME_SIZE_ERROR, CANCEL = 5, 6, 8
COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 9, 11


def connect(server, **kwargs):
    return Http2Client(server.address, **kwargs)


# -- what works --


def test_requests_side_by_side(demo):
    server = demo("--hello-delay", 0.2)
    with connect(server) as client:
        slow = client.open(request("/hello"))
        quick = client.open(request("/test"))
        assert client.answer(quick).body == b"test 22222"
        assert not client.stream(slow).done, "the quick one does not wait for it"
        assert client.answer(slow).body == b"hello world233333!!!!"
        assert client.stream(slow).headers["content-length"] == "21"


def test_large_bodies_in_both_directions(demo):
    server = demo()
    body = os.urandom(2000000)
    with connect(server) as client:
        blob = client.ask(request("/blob?bytes=5000000"))
        assert len(blob.body) == 5000000 and blob.headers["content-length"] == "5000000"
    done = subprocess.run(
        ["curl", "-s", "--http2-prior-knowledge", "--data-binary", "@-",
         f"http://127.0.0.1:{server.address[1][1]}/echo"], input=body, capture_output=True,
        timeout=60, check=True)
    assert done.stdout.split() == [b"2000000", hashlib.sha256(body).hexdigest().encode()]


def test_head_has_the_fields_and_no_content(demo):
    server = demo()
    with connect(server) as client:
        answer = client.ask(request("/blob?bytes=1000", "HEAD"))
        assert (answer.status, answer.headers["content-length"]) == ("200", "1000")
        assert answer.body == b"" and answer.ended
        assert client.ask().status == "200"


def test_methods_and_paths_are_routed_as_for_http1(demo):
    server = demo()
    with connect(server) as client:
        assert client.ask(request("/nowhere")).status == "404"
        answer = client.ask(request("/test", "PUT"))
        assert (answer.status, answer.headers["allow"]) == ("405", "GET, HEAD")
        assert client.ask(request("*", "OPTIONS")).status == "200"


def test_a_slow_window_is_respected(demo):
    server = demo()
    with connect(server, settings={frames.SettingsFrame.INITIAL_WINDOW_SIZE: 1000}) as client:
        client.windows = False
        number = client.open(request("/blob?bytes=3000"))
        for had in (1000, 2000):
            client.wait(lambda: len(client.stream(number).body) == had)
            client.frame(frames.PingFrame(0, b"nothing?"))
            client.wait(lambda: client.pings)
            client.pings.clear()
            assert len(client.stream(number).body) == had, "not more than its window"
            client.frame(frames.WindowUpdateFrame(number, 1000))
        assert len(client.answer(number).body) == 3000


def test_continue_is_said_to_who_waits_for_it(demo):
    server = demo()
    with connect(server) as client:
        number = client.open(request("/echo", "POST", ("expect", "100-continue")), end=False)
        client.wait(lambda: client.stream(number).informational or client.closed)
        client.data(number, b"abc", end=True)
        assert client.answer(number).body.startswith(b"3 ")


def test_headers_in_pieces_and_padding_and_trailers(demo):
    server = demo()
    with connect(server) as client:
        block = client.encoder.encode(request("/echo", "POST"))
        head = frames.HeadersFrame(1, block[:3])
        head.flags.add("PADDED")
        head.pad_length = 7
        client.frame(head)
        client.frame(frames.ContinuationFrame(1, block[3:5]))
        client.frame(frames.ContinuationFrame(1, block[5:]), "END_HEADERS")
        data = frames.DataFrame(1, b"abcde")
        data.pad_length = 100
        client.frame(data, "PADDED")
        client.frame(frames.HeadersFrame(1, client.encoder.encode([("x-sum", "1")])),
                     "END_HEADERS", "END_STREAM")
        assert client.answer(1).body.startswith(b"5 ")


def test_http1_is_still_spoken_to_who_begins_like_http2(demo):
    server = demo("--head-timeout", 0.3)
    with Client(server.address) as client:
        client.send("P")
        client.send("OST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        assert client.answer().status == 200
    with Client(server.address) as client:
        client.send(PREFACE[:10])
        assert client.answer().status == 408
    with Client(server.address) as client:
        client.send("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n")
        assert client.answer().status in (400, 505)


def test_who_says_no_more_has_what_is_complete_answered(demo):
    """Half-closed: what is complete is answered, what is not never will be, and the connection ends."""
    server = demo("--hello-delay", 0.3, "--read-timeout", 600, "--write-timeout", 600)
    with connect(server) as client:
        complete = client.open(request("/hello"))
        begun = client.open(request("/echo", "POST"), end=False)
        client.socket.shutdown(socket.SHUT_WR)
        client.acknowledge = client.windows = False
        assert client.answer(complete).body == b"hello world233333!!!!"
        assert client.answer(begun).reset == CANCEL
        client.wait_closed()
    with connect(server, settings={frames.SettingsFrame.INITIAL_WINDOW_SIZE: 1}) as client:
        number = client.open(request("/test"))
        client.socket.shutdown(socket.SHUT_WR)
        client.acknowledge = client.windows = False
        client.wait_closed()
        assert client.stream(number).body == b"t", "and nobody waits for a window that cannot open"


# -- limits --


def test_a_body_that_is_too_long_is_refused_and_the_connection_lives(demo):
    server = demo()
    with connect(server) as client:
        number = client.open(request("/echo", "POST", ("content-length", str(1 << 30))), end=False)
        assert client.answer(number).status == "413"
        client.wait(lambda: client.stream(number).reset is not None)
        assert client.stream(number).reset == NO_ERROR
        assert client.ask().status == "200"


def test_heads_that_are_too_large(demo):
    server = demo()
    with connect(server) as client:
        assert client.ask(request("/" + 9000 * "x")).status == "414"
        many = [("x-%d" % i, "y" * 100) for i in range(150)]
        number = client.open(request("/test", "GET", *many[:90]))
        assert client.answer(number).status == "200"
        block = client.encoder.encode(request("/test", "GET", *many))
        send_block(client, client.next_id, block)
        assert client.answer(client.next_id).status == "431"
        client.next_id += 2
        assert client.ask().status == "200"


def send_block(client, number, block):
    first, rest = block[:16000], block[16000:]
    client.frame(frames.HeadersFrame(number, first), "END_STREAM", *([] if rest else ["END_HEADERS"]))
    while rest:
        piece, rest = rest[:16000], rest[16000:]
        client.frame(frames.ContinuationFrame(number, piece), *([] if rest else ["END_HEADERS"]))


def test_a_request_that_does_not_go_on_is_408(demo):
    server = demo("--read-timeout", 0.2)
    with connect(server) as client:
        number = client.open(request("/echo", "POST"), end=False)
        assert client.answer(number).status == "408"
        assert client.ask().status == "200"


def test_an_idle_connection_is_told_goodbye(demo):
    server = demo("--idle-timeout", 0.2)
    with connect(server) as client:
        assert client.ask().status == "200"
        client.wait_closed()
        assert client.goaways == [(1, NO_ERROR)]


def test_who_takes_nothing_is_cut_off(demo):
    server = demo("--write-timeout", 0.2)
    with connect(server, settings={frames.SettingsFrame.INITIAL_WINDOW_SIZE: 0}) as client:
        client.open(request("/test"))
        client.wait_closed()
        assert client.streams[1].body == b""


def flood_of_resets(client):
    for _ in range(1000):
        number = client.open(request("/hello"))
        client.frame(frames.RstStreamFrame(number, CANCEL))


def flood_of_pings(client):
    for i in range(5000):
        client.frame(frames.PingFrame(0, i.to_bytes(8, "big")))


def flood_of_settings(client):
    for _ in range(5000):
        client.frame(frames.SettingsFrame(0))


def flood_of_empty_data(client):
    number = client.open(request("/echo", "POST"), end=False)
    for _ in range(5000):
        client.data(number)


def flood_of_priorities(client):
    for _ in range(5000):
        client.frame(frames.PriorityFrame(1, 0, 15))


def flood_of_continuations(client):
    client.open(flags=())
    for _ in range(5000):
        client.frame(frames.ContinuationFrame(1, b""))


def header_bomb(client):
    """One large field in the table, named over and over in a byte each."""
    block = client.encoder.encode(request())
    value = b"a" * 3900
    block += b"\x40\x01b\x7f" + integer(len(value) - 127) + value  # literal, into the table
    block += b"\xbe" * 40000  # index 62, the newest
    send_block(client, 1, block)


def integer(number):
    out = b""
    while number >= 128:
        out += bytes([number % 128 + 128])
        number //= 128
    return out + bytes([number])


@pytest.mark.parametrize("flood", [flood_of_resets, flood_of_pings, flood_of_settings,
                                   flood_of_empty_data, flood_of_priorities,
                                   flood_of_continuations, header_bomb],
                         ids=lambda flood: flood.__name__)
def test_a_flood_ends_its_connection_and_no_other(demo, flood):
    server = demo("--hello-delay", 0, "--threads", 1)
    with connect(server) as other, connect(server, acknowledge=False) as client:
        assert other.ask().status == "200"
        flooding = threading.Thread(target=flood, args=(client,))
        flooding.start()
        client.wait_closed()
        client.socket.close()
        flooding.join()
        assert other.ask().status == "200"
        assert other.goaways == []


# -- RFC 9113 --


def headers_frame(client, number, headers, *flags):
    client.frame(frames.HeadersFrame(number, client.encoder.encode(headers)), "END_HEADERS", *flags)


def raw_frame(client, kind, flags, number, payload, length=None):
    length = len(payload) if length is None else length
    client.raw(length.to_bytes(3, "big") + bytes([kind, flags]) + number.to_bytes(4, "big") + payload)


def without(name, headers=None):
    return [field for field in headers or GET if field[0] != name]


def opened(client, **kwargs):
    return client.open(request("/echo", "POST"), end=False, **kwargs)


def says(*headers):
    return lambda c: headers_frame(c, 1, headers, "END_STREAM")


def fields_as(block):
    """A request whose block of fields is @block."""
    return lambda c: raw_frame(c, HEADERS, 5, 1, block)


def shrink(client):
    """What was allowed is on its way when the client allows less; it makes up for it, and a little more."""
    client.windows = False
    client.open(request("/blob?bytes=70000"))
    client.wait(lambda: len(client.stream(1).body) == 65535)
    raw_frame(client, SETTINGS, 0, 0, b"\0\4\0\0\0\1")
    client.wait(lambda: any("ACK" in s.flags for s in client.settings))
    client.frame(frames.WindowUpdateFrame(0, 10000))
    client.frame(frames.WindowUpdateFrame(1, 65534))
    client.frame(frames.PingFrame(0, b"nothing?"))
    client.wait(lambda: client.pings)
    assert len(client.stream(1).body) == 65535, "its window is 0 again, and not more"
    client.frame(frames.WindowUpdateFrame(1, 10000))


DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)

# section, what, what the client does, what the server does: goaway, reset or status with its number
TABLE = [
    ("4.1", "an unknown type of frame is ignored",
     lambda c: (raw_frame(c, 99, 0xff, 0, b"what"), c.open()), ("status", 200)),
    ("4.1", "the reserved bit of a stream's number is ignored",
     lambda c: raw_frame(c, HEADERS, 5, 0x80000001, c.encoder.encode(GET)), ("status", 200)),
    ("4.2", "a frame above 16384 bytes",
     lambda c: raw_frame(c, PING, 0, 0, b"x" * 17000), ("goaway", FRAME_SIZE_ERROR)),
    ("4.3", "a block of fields that is no HPACK",
     lambda c: raw_frame(c, HEADERS, 5, 1, b"\xff" * 20), ("goaway", COMPRESSION_ERROR)),
    ("4.3", "another frame between HEADERS and CONTINUATION",
     lambda c: (c.open(flags=()), c.frame(frames.PingFrame(0))), ("goaway", PROTOCOL_ERROR)),
    ("5.1", "DATA on an idle stream", lambda c: c.data(1, b"x"), ("goaway", PROTOCOL_ERROR)),
    ("5.1", "RST_STREAM on an idle stream",
     lambda c: c.frame(frames.RstStreamFrame(1, 8)), ("goaway", PROTOCOL_ERROR)),
    ("5.1", "WINDOW_UPDATE on an idle stream",
     lambda c: c.frame(frames.WindowUpdateFrame(1, 1)), ("goaway", PROTOCOL_ERROR)),
    ("5.1", "CONTINUATION without HEADERS",
     lambda c: c.frame(frames.ContinuationFrame(1, b"")), ("goaway", PROTOCOL_ERROR)),
    ("5.1.1", "an even number", lambda c: c.open(stream=2), ("goaway", PROTOCOL_ERROR)),
    ("5.1.1", "a number below the last",
     lambda c: (opened(c, stream=5), c.open(stream=3)), ("goaway", PROTOCOL_ERROR)),
    ("5.1.2", "more streams at a time than allowed",
     lambda c: (c.wait(lambda: any("ACK" in s.flags for s in c.settings)),
                [opened(c) for _ in range(101)]), ("goaway", PROTOCOL_ERROR)),
    ("6.1", "DATA on stream 0",
     lambda c: raw_frame(c, DATA, 0, 0, b"x"), ("goaway", PROTOCOL_ERROR)),
    ("6.1", "more padding than frame",
     lambda c: (opened(c), raw_frame(c, DATA, 8, 1, b"\x09x")), ("goaway", PROTOCOL_ERROR)),
    ("6.2", "HEADERS on stream 0",
     lambda c: raw_frame(c, HEADERS, 5, 0, c.encoder.encode(GET)), ("goaway", PROTOCOL_ERROR)),
    ("6.3", "PRIORITY is taken",
     lambda c: (c.frame(frames.PriorityFrame(1, 0, 15)), c.open()), ("status", 200)),
    ("6.3", "PRIORITY on stream 0",
     lambda c: raw_frame(c, PRIORITY, 0, 0, bytes(5)), ("goaway", PROTOCOL_ERROR)),
    ("6.4", "RST_STREAM on stream 0",
     lambda c: raw_frame(c, RST, 0, 0, bytes(4)), ("goaway", PROTOCOL_ERROR)),
    ("6.4", "RST_STREAM of another length",
     lambda c: (opened(c), raw_frame(c, RST, 0, 1, bytes(3))), ("goaway", FRAME_SIZE_ERROR)),
    ("6.5", "SETTINGS on a stream",
     lambda c: raw_frame(c, SETTINGS, 0, 1, b""), ("goaway", PROTOCOL_ERROR)),
    ("6.5", "SETTINGS with an odd length",
     lambda c: raw_frame(c, SETTINGS, 0, 0, bytes(5)), ("goaway", FRAME_SIZE_ERROR)),
    ("6.5", "an acknowledgement with content",
     lambda c: raw_frame(c, SETTINGS, 1, 0, bytes(6)), ("goaway", FRAME_SIZE_ERROR)),
    ("6.5.2", "ENABLE_PUSH that is neither 0 nor 1",
     lambda c: raw_frame(c, SETTINGS, 0, 0, b"\0\2\0\0\0\2"), ("goaway", PROTOCOL_ERROR)),
    ("6.5.2", "a window above 2^31-1",
     lambda c: raw_frame(c, SETTINGS, 0, 0, b"\0\4\xff\xff\xff\xff"),
     ("goaway", FLOW_CONTROL_ERROR)),
    ("6.5.2", "a frame size below 16384",
     lambda c: raw_frame(c, SETTINGS, 0, 0, b"\0\5\0\0\0\1"), ("goaway", PROTOCOL_ERROR)),
    ("6.5.2", "an unknown setting is ignored",
     lambda c: (raw_frame(c, SETTINGS, 0, 0, b"\x7f\xff\0\0\0\1"), c.open()), ("status", 200)),
    ("6.6", "a client that pushes",
     lambda c: (opened(c), raw_frame(c, PUSH, 4, 1, bytes(4))), ("goaway", PROTOCOL_ERROR)),
    ("6.7", "PING is answered with its bytes",
     lambda c: c.frame(frames.PingFrame(0, b"12345678")), ("ping", b"12345678")),
    ("6.7", "PING of another length",
     lambda c: raw_frame(c, PING, 0, 0, b"short"), ("goaway", FRAME_SIZE_ERROR)),
    ("6.7", "PING on a stream",
     lambda c: raw_frame(c, PING, 0, 1, bytes(8)), ("goaway", PROTOCOL_ERROR)),
    ("6.8", "GOAWAY on a stream",
     lambda c: raw_frame(c, GOAWAY, 0, 1, bytes(8)), ("goaway", PROTOCOL_ERROR)),
    ("6.9", "a window that opens by 0 on a stream",
     lambda c: (opened(c), raw_frame(c, WINDOW, 0, 1, bytes(4))), ("goaway", PROTOCOL_ERROR)),
    ("6.9", "a window that opens by 0 on the connection",
     lambda c: raw_frame(c, WINDOW, 0, 0, bytes(4)), ("goaway", PROTOCOL_ERROR)),
    ("6.9", "WINDOW_UPDATE of another length",
     lambda c: raw_frame(c, WINDOW, 0, 0, bytes(3)), ("goaway", FRAME_SIZE_ERROR)),
    ("6.9.1", "a connection's window above 2^31-1",
     lambda c: [c.frame(frames.WindowUpdateFrame(0, 2**31 - 1)) for _ in range(2)],
     ("goaway", FLOW_CONTROL_ERROR)),
    ("6.9.1", "a stream's window above 2^31-1",
     lambda c: (opened(c), [c.frame(frames.WindowUpdateFrame(1, 2**31 - 1)) for _ in range(2)]),
     ("reset", FLOW_CONTROL_ERROR)),
    ("6.10", "CONTINUATION on another stream",
     lambda c: (c.open(flags=()), c.frame(frames.ContinuationFrame(3, b""))),
     ("goaway", PROTOCOL_ERROR)),
    ("8.1", "DATA after the end of the request",
     lambda c: (c.open(request("/hello")), c.data(1, b"x")), ("goaway", STREAM_CLOSED)),
    ("8.1", "trailers that do not end the stream",
     lambda c: (opened(c), headers_frame(c, 1, [("x", "1")])), ("reset", PROTOCOL_ERROR)),
    ("8.1.1", "a body shorter than Content-Length",
     lambda c: (c.open(request("/echo", "POST", ("content-length", "5")), end=False),
                c.data(1, b"abc", end=True)), ("reset", PROTOCOL_ERROR)),
    ("8.1.1", "a body longer than Content-Length",
     lambda c: (c.open(request("/echo", "POST", ("content-length", "2")), end=False),
                c.data(1, b"abc", end=True)), ("reset", PROTOCOL_ERROR)),
    ("8.2.1", "a name with upper case", says(*GET, ("X-A", "1")), ("reset", PROTOCOL_ERROR)),
    ("8.2.1", "a name with a space", says(*GET, ("x a", "1")), ("reset", PROTOCOL_ERROR)),
    ("8.2.1", "a value with a line feed", says(*GET, ("x", "a\nb")), ("reset", PROTOCOL_ERROR)),
    ("8.2.1", "a value with a zero", says(*GET, ("x", "a\0b")), ("reset", PROTOCOL_ERROR)),
    ("8.2.2", "Connection", says(*GET, ("connection", "close")), ("reset", PROTOCOL_ERROR)),
    ("8.2.2", "Transfer-Encoding",
     says(*GET, ("transfer-encoding", "chunked")), ("reset", PROTOCOL_ERROR)),
    ("8.2.2", "TE other than trailers", says(*GET, ("te", "gzip")), ("reset", PROTOCOL_ERROR)),
    ("8.2.2", "TE: trailers", says(*GET, ("te", "trailers")), ("status", 200)),
    ("8.2.3", "cookies in crumbs",
     says(*GET, ("cookie", "a=1"), ("x", "y"), ("cookie", "b=2"), ("cookie", "c=3")),
     ("status", 200)),
    ("8.3", "a pseudo field behind a field",
     says(*GET[:3], ("x", "1"), GET[3]), ("reset", PROTOCOL_ERROR)),
    ("8.3", "an unknown pseudo field", says(*GET, (":x", "1")), ("reset", PROTOCOL_ERROR)),
    ("8.3", "one of a response", says(*GET, (":status", "200")), ("reset", PROTOCOL_ERROR)),
    ("8.3", "a pseudo field among the trailers",
     lambda c: (opened(c), headers_frame(c, 1, [(":path", "/")], "END_STREAM")),
     ("reset", PROTOCOL_ERROR)),
    ("8.3.1", "no :method", says(*without(":method")), ("reset", PROTOCOL_ERROR)),
    ("8.3.1", "no :scheme", says(*without(":scheme")), ("reset", PROTOCOL_ERROR)),
    ("8.3.1", "no :path", says(*without(":path")), ("reset", PROTOCOL_ERROR)),
    ("8.3.1", "an empty :path",
     says(*without(":path"), (":path", "")), ("reset", PROTOCOL_ERROR)),
    ("8.3.1", "two of :path", says(*GET, (":path", "/")), ("reset", PROTOCOL_ERROR)),
    ("8.3.1", "host instead of :authority",
     says(*without(":authority"), ("host", "localhost")), ("status", 200)),
    ("8.3.1", "neither", says(*without(":authority")), ("reset or status", PROTOCOL_ERROR, 400)),
    ("8.3.1", "host that contradicts :authority",
     says(*GET, ("host", "elsewhere")), ("status", 400)),
    ("8.3.1", "a path with a space",
     says(*without(":path"), (":path", "/a b")), ("reset or status", PROTOCOL_ERROR, 400)),
    ("8.5", "CONNECT", says((":method", "CONNECT"), (":authority", "a:1")), ("status", 501)),
    ("8.5", "CONNECT with a path", says(*GET[1:], (":method", "CONNECT")),
     ("reset or status", PROTOCOL_ERROR, 400)),
    ("4.1", "flags that mean nothing are ignored",
     lambda c: raw_frame(c, PING, 0xfe, 0, b"12345678"), ("ping", b"12345678")),
    ("4.2", "a frame of 16384 bytes is taken",
     lambda c: (opened(c), c.data(1, b"x" * 16384, end=True)), ("status", 200)),
    ("4.2", "DATA above 16384 bytes",
     lambda c: (opened(c), raw_frame(c, DATA, 1, 1, b"x" * 16385)), ("goaway", FRAME_SIZE_ERROR)),
    ("4.2", "HEADERS above 16384 bytes",
     lambda c: raw_frame(c, HEADERS, 5, 1, bytes(16385)), ("goaway", FRAME_SIZE_ERROR)),
    ("4.3", "an index that there is not", fields_as(b"\xbf"), ("goaway", COMPRESSION_ERROR)),
    ("4.3", "the index 0", fields_as(b"\x80"), ("goaway", COMPRESSION_ERROR)),
    ("4.3", "an index that does not end", fields_as(b"\xff\xff"), ("goaway", COMPRESSION_ERROR)),
    ("4.3", "an index beyond 32 bits", fields_as(b"\xff" * 6 + b"\x7f"), ("goaway", COMPRESSION_ERROR)),
    ("4.3", "a string that does not end", fields_as(b"\x00\x05abc"), ("goaway", COMPRESSION_ERROR)),
    ("4.3", "a Huffman code with its end in it",
     fields_as(b"\x00\x84\xff\xff\xff\xff\x01a"), ("goaway", COMPRESSION_ERROR)),
    ("4.3", "a Huffman code padded with zeroes",
     fields_as(b"\x00\x81\x18\x01a"), ("goaway", COMPRESSION_ERROR)),
    ("4.3", "a table larger than we said", fields_as(b"\x3f\xe2\x1f"), ("goaway", COMPRESSION_ERROR)),
    ("4.3", "a change of the table behind a field",
     lambda c: raw_frame(c, HEADERS, 5, 1, c.encoder.encode(GET) + b"\x20"),
     ("goaway", COMPRESSION_ERROR)),
    ("4.3", "a table of nothing is taken",
     lambda c: (setattr(c.encoder, "header_table_size", 0), c.open()), ("status", 200)),
    ("4.3", "an unknown frame between HEADERS and CONTINUATION",
     lambda c: (c.open(flags=()), raw_frame(c, 99, 0, 1, b"")), ("goaway", PROTOCOL_ERROR)),
    ("4.3", "HEADERS between HEADERS and CONTINUATION",
     lambda c: (c.open(flags=()), c.open()), ("goaway", PROTOCOL_ERROR)),
    ("5.1", "HEADERS after the end of the request",
     lambda c: (c.open(request("/hello")), headers_frame(c, 1, GET, "END_STREAM")),
     ("goaway", STREAM_CLOSED)),
    ("5.1", "WINDOW_UPDATE after the end of the request is taken",
     lambda c: (c.open(request("/hello")), c.frame(frames.WindowUpdateFrame(1, 1))), ("status", 200)),
    ("5.1", "PRIORITY after the end of the request is taken",
     lambda c: (c.open(request("/hello")), c.frame(frames.PriorityFrame(1, 0, 15))), ("status", 200)),
    ("5.1", "RST_STREAM, WINDOW_UPDATE and PRIORITY on a closed stream are ignored",
     lambda c: (c.answer(c.open()), c.streams.clear(), c.frame(frames.RstStreamFrame(1, 8)),
                c.frame(frames.WindowUpdateFrame(1, 1)), c.frame(frames.PriorityFrame(1, 0, 15)),
                c.open()), ("status", 200)),
    ("5.1", "DATA on a closed stream is ignored",
     lambda c: (c.answer(c.open()), c.streams.clear(), c.data(1, b"x"), c.open()), ("status", 200)),
    ("5.1", "HEADERS on a closed stream",
     lambda c: (c.answer(c.open()), c.open(stream=1)), ("goaway", PROTOCOL_ERROR, STREAM_CLOSED)),
    ("5.1", "DATA on a stream that the client has reset is ignored",
     lambda c: (opened(c), c.frame(frames.RstStreamFrame(1, 8)), c.data(1, b"x"), c.open()),
     ("status", 200)),
    ("5.1.1", "the last number that there is",
     lambda c: c.open(stream=2**31 - 1), ("status", 200, "last")),
    ("5.3.1", "a stream that depends on itself: priorities are not looked at",
     lambda c: (c.frame(frames.PriorityFrame(1, 1, 15)), c.open()), ("status", 200)),
    ("5.5", "an unknown frame on a stream is ignored",
     lambda c: (opened(c), raw_frame(c, 99, 0xff, 1, b"what"), c.data(1, b"x", end=True)),
     ("status", 200)),
    ("6.1", "PADDED without room for the padding's length",
     lambda c: (opened(c), raw_frame(c, DATA, 8, 1, b"")), ("goaway", FRAME_SIZE_ERROR, PROTOCOL_ERROR)),
    ("6.1", "as much padding as frame",
     lambda c: (opened(c), raw_frame(c, DATA, 8, 1, b"\x03abc"), c.data(1, b"x", end=True)),
     ("status", 200)),
    ("6.2", "more padding than frame",
     lambda c: raw_frame(c, HEADERS, 0xd, 1, b"\xff" + c.encoder.encode(GET)), ("goaway", PROTOCOL_ERROR)),
    ("6.2", "a priority that does not fit",
     lambda c: raw_frame(c, HEADERS, 0x25, 1, b"\0\0\0\0"), ("goaway", FRAME_SIZE_ERROR, PROTOCOL_ERROR)),
    ("6.2", "a priority is taken",
     lambda c: raw_frame(c, HEADERS, 0x25, 1, b"\x80\0\0\x03\xff" + c.encoder.encode(GET)),
     ("status", 200)),
    ("6.3", "PRIORITY of another length",
     lambda c: (opened(c), raw_frame(c, PRIORITY, 0, 1, bytes(4))),
     ("goaway or reset", FRAME_SIZE_ERROR)),
    ("6.5", "SETTINGS are acknowledged",
     lambda c: (c.wait(lambda: any("ACK" in s.flags for s in c.settings)), c.open()), ("status", 200)),
    ("6.5.2", "a frame size above 2^24-1",
     lambda c: raw_frame(c, SETTINGS, 0, 0, b"\0\5\1\0\0\0"), ("goaway", PROTOCOL_ERROR)),
    ("6.5.2", "no table for what we say",
     lambda c: (raw_frame(c, SETTINGS, 0, 0, b"\0\1\0\0\0\0"), c.ask(), c.streams.clear(), c.open()),
     ("status", 200)),
    ("6.5.2", "a setting twice: the last one counts",
     lambda c: (raw_frame(c, SETTINGS, 0, 0, b"\0\4\0\0\0\0\0\4\0\0\xff\xff"), c.open()),
     ("status", 200)),
    ("6.5.2", "ENABLE_PUSH that is 1",
     lambda c: (raw_frame(c, SETTINGS, 0, 0, b"\0\2\0\0\0\1"), c.open()), ("status", 200)),
    ("6.5.3", "an acknowledgement too many",
     lambda c: (c.frame(frames.SettingsFrame(0), "ACK"), c.frame(frames.SettingsFrame(0), "ACK"),
                c.open()), ("goaway or status", PROTOCOL_ERROR, 200)),
    ("6.7", "an answer to no PING is not answered",
     lambda c: (c.frame(frames.PingFrame(0, b"87654321"), "ACK"), c.frame(frames.PingFrame(0, b"12345678"))),
     ("ping", b"12345678")),
    ("6.8", "who goes has its streams answered",
     lambda c: (opened(c), c.frame(frames.GoAwayFrame(0, 0, 0)), c.data(1, b"x", end=True)),
     ("status", 200, "last")),
    ("6.9.1", "a stream waits for its window",
     lambda c: (raw_frame(c, SETTINGS, 0, 0, b"\0\4\0\0\0\0"), c.open(),
                c.wait(lambda: c.stream(1).headers), c.frame(frames.WindowUpdateFrame(1, 10))),
     ("status", 200, "last")),
    ("6.9.2", "a window that shrinks below what is on its way",
     lambda c: shrink(c), ("status", 200, "last")),
    ("6.10", "CONTINUATION behind the last one",
     lambda c: (opened(c), c.frame(frames.ContinuationFrame(1, b""))), ("goaway", PROTOCOL_ERROR)),
    ("6.10", "CONTINUATION on stream 0",
     lambda c: raw_frame(c, CONTINUATION, 4, 0, b""), ("goaway", PROTOCOL_ERROR)),
    ("8.1.1", "a length of a request without a body",
     says(*GET, ("content-length", "5")), ("reset", PROTOCOL_ERROR)),
    ("8.1.1", "a length of 0 and no body", says(*GET, ("content-length", "0")), ("status", 200)),
    ("8.1.1", "two lengths", says(*GET, ("content-length", "0"), ("content-length", "0")),
     ("reset", PROTOCOL_ERROR)),
    *[("8.1.1", f"a length of {text!r}", says(*GET, ("content-length", text)),
       ("reset or status", PROTOCOL_ERROR, 400)) for text in ("-1", "+0", "0x0", "", "1e3", "99999999999999999999")],
    ("8.2.1", "an empty name", says(*GET, ("", "1")), ("reset", PROTOCOL_ERROR)),
    ("8.2.1", "a name with a colon", says(*GET, ("x:y", "1")), ("reset", PROTOCOL_ERROR)),
    ("8.2.1", "a name above ASCII",
     fields_as(b"\x82\x86\x84\x41\x01a\x00\x02x\xff\x011"), ("reset", PROTOCOL_ERROR)),
    ("8.2.1", "a name with a delete", says(*GET, ("x\x7f", "1")), ("reset", PROTOCOL_ERROR)),
    ("8.2.1", "a value with a carriage return", says(*GET, ("x", "a\rb")), ("reset", PROTOCOL_ERROR)),
    *[("8.2.1", f"a value {how}", says(*GET, ("x", value)), ("reset or status", PROTOCOL_ERROR, 400))
      for how, value in (("that begins with a space", " a"), ("that ends with a space", "a "),
                         ("that ends with a tab", "a\t"))],
    *[("8.2.2", name, says(*GET, (name.lower(), "x")), ("reset", PROTOCOL_ERROR))
      for name in ("Keep-Alive", "Proxy-Connection", "Upgrade")],
    ("8.3", "pseudo fields in another order", says(*reversed(GET)), ("status", 200)),
    ("8.3.1", "two of :method", says(*GET, (":method", "GET")), ("reset", PROTOCOL_ERROR)),
    ("8.3.1", "two of :scheme", says(*GET, (":scheme", "http")), ("reset", PROTOCOL_ERROR)),
    ("8.3.1", "two of :authority", says(*GET, (":authority", "localhost")), ("reset", PROTOCOL_ERROR)),
    ("8.3.1", "two of host", says(*GET, ("host", "localhost"), ("host", "localhost")),
     ("reset or status", PROTOCOL_ERROR, 400)),
    ("8.3.1", "an empty :method", says(*without(":method"), (":method", "")),
     ("reset or status", PROTOCOL_ERROR, 400)),
    ("8.3.1", "a :method that is no token", says(*without(":method"), (":method", "G T")),
     ("reset or status", PROTOCOL_ERROR, 400)),
    ("8.3.1", "a path without a slash", says(*without(":path"), (":path", "test")),
     ("reset or status", PROTOCOL_ERROR, 400)),
    ("8.3.1", "an asterisk that is not for OPTIONS", says(*without(":path"), (":path", "*")),
     ("reset or status", PROTOCOL_ERROR, 400)),
    ("8.3.1", "a path with a fragment", says(*without(":path"), (":path", "/test#x")),
     ("reset or status", PROTOCOL_ERROR, 400)),
    ("8.3.1", "a path with a line", says(*without(":path"), (":path", "/test HTTP/1.1\r\nx: y")),
     ("reset or status", PROTOCOL_ERROR, 400)),
    ("8.3.1", "an authority with a user", says(*without(":authority"), (":authority", "a@localhost")),
     ("reset or status", PROTOCOL_ERROR, 400)),
    ("8.3.1", "an authority with a path", says(*without(":authority"), (":authority", "localhost/a")),
     ("reset or status", PROTOCOL_ERROR, 400)),
    ("8.6", "an extended CONNECT that was not offered (RFC 8441)",
     says((":method", "CONNECT"), (":protocol", "websocket"), *GET[1:]),
     ("reset or status", PROTOCOL_ERROR, 501)),
]


def outcome_of(client, expected):
    kind = expected[0]
    if "goaway" in kind:
        client.wait(lambda: client.goaways or client.closed or (kind != "goaway" and any(
            s.done for s in client.streams.values())))
    if kind == "goaway" or ("goaway" in kind and client.goaways):
        codes = [code for _, code in client.goaways]
        assert len(codes) == 1 and codes[0] in expected[1:], client.goaways
        client.wait_closed()
        return
    if kind == "ping":
        client.wait(lambda: client.pings)
        assert client.pings[0].opaque_data == expected[1] and "ACK" in client.pings[0].flags
        return
    client.wait(lambda: client.closed or any(s.done for s in client.streams.values()))
    done = [s for s in client.streams.values() if s.done]
    assert done, client.goaways
    if kind == "status":
        assert done[0].status == str(expected[1])
    elif kind == "reset":
        assert done[0].reset == expected[1]
    else:
        assert ("reset" in kind and done[0].reset == expected[1]) or (
            "status" in kind and done[0].status == str(expected[2])), vars(done[0])
    if expected[-1] == "last":
        return
    client.next_id = 1001
    assert client.ask().status == "200", "an error of a stream is none of the connection"


@pytest.fixture(scope="module")
def conformance(tmp_path_factory):
    house = Household(str(tmp_path_factory.mktemp("conformance")))
    yield house.demo("--hello-delay", 0.2)
    house.close()


@pytest.mark.parametrize("section, what, act, expected", TABLE,
                         ids=[f"{row[0]} {row[1]}" for row in TABLE])
def test_rfc_9113(conformance, section, what, act, expected):
    with connect(conformance) as client:
        act(client)
        outcome_of(client, expected)


@pytest.mark.parametrize("first", [
    b"", PREFACE + b"\0\0\0\x06\0\0\0\0\0", PREFACE + b"GET / HTTP/1.1\r\n\r\n" * 3,
], ids=["nothing", "no settings first", "HTTP/1 after the preface"])
def test_a_wrong_beginning(demo, first):
    server = demo("--head-timeout", 0.3)
    with connect(server, preface=False) as client:
        client.raw(first)
        client.wait_closed()
        assert client.goaways == [] or client.goaways[-1][1] in (PROTOCOL_ERROR, FRAME_SIZE_ERROR)
    assert server.get("/test").status == 200


# -- restarts --


def test_a_restart_is_announced_in_two_steps_and_every_stream_completes(demo):
    server = demo("--hello-delay", 0.5)
    old = server.current
    with connect(server, acknowledge=False) as client:
        slow = client.open(request("/hello"))
        client.wait(lambda: client.settings)
        wait_until(lambda: server.get("/test"), "another connection is served")
        server.restart()
        client.wait(lambda: client.goaways)
        assert client.goaways == [(2**31 - 1, NO_ERROR)], "the first step names no stream"
        late = client.open(request("/generation"))
        assert client.answer(late).headers["x-generation"] == "1", "what was on its way is served"
        client.wait(lambda: any("ACK" not in ping.flags for ping in client.pings))
        client.frame(frames.PingFrame(0, client.pings[0].opaque_data), "ACK")
        client.wait(lambda: len(client.goaways) == 2)
        assert client.goaways[1] == (late, NO_ERROR)
        assert client.answer(slow).body == b"hello world233333!!!!"
        client.wait_closed()
    assert old.wait_exit() == 0


def test_an_idle_connection_ends_at_a_restart_and_at_a_stop(demo):
    server = demo()
    old = server.current
    with connect(server) as client:
        assert client.ask().status == "200"
        server.restart()
        client.wait_closed()
        assert client.goaways == [(2**31 - 1, NO_ERROR), (1, NO_ERROR)]
    assert old.wait_exit() == 0
    with connect(server) as client:
        assert client.ask().headers["x-generation"] == "2"
        server.current.signal(signal.SIGTERM)
        client.wait_closed()
        assert client.goaways[-1][1] == NO_ERROR
    assert server.current.wait_exit() == 0


class Clients:
    """Each keeps `width` streams open; what a final GOAWAY leaves out is asked for again elsewhere."""

    def __init__(self, server, context, number, width):
        self.server, self.context, self.width = server, context, width
        self.stop, self.changed = threading.Event(), threading.Condition()
        self.failures, self.generations = [], {}
        self.threads = [threading.Thread(target=self.run) for _ in range(number)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def run(self):
        while not self.stop.is_set():
            try:
                with Http2Client(self.server.tls, self.context()) as client:
                    self.converse(client)
            except (OSError, AssertionError, IndexError) as error:
                self.failures.append(repr(error))

    def converse(self, client):
        waiting = set()
        while not client.closed:
            while len(waiting) < self.width and not client.goaways and not self.stop.is_set():
                waiting.add(client.open())
            if not waiting:
                return
            client.receive()
            for number in [n for n in waiting if client.stream(n).done]:
                waiting.remove(number)
                self.note(client.streams.pop(number))
        last = client.goaways[-1][0]
        lost = [number for number in waiting if number <= last]
        assert not lost, f"accepted and not completed: {lost}"

    def note(self, stream):
        assert (stream.status, stream.body) == ("200", b"test 22222"), vars(stream)
        with self.changed:
            number = int(stream.headers["x-generation"])
            self.generations[number] = self.generations.get(number, 0) + 1
            self.changed.notify_all()

    def await_generation(self, number):
        with self.changed:
            assert self.changed.wait_for(lambda: number in self.generations, 60), self.failures[:3]


def test_restarts_under_load_complete_every_accepted_stream(demo, tmp_path):
    pair = Pair(str(tmp_path), "one.test")
    server = demo(*pair.options, "--listen-plain", "tcp://127.0.0.1:0", ready=False)
    server.tls = both_addresses(server)
    with Clients(server, lambda: trusting(pair), 2, 20) as clients:
        for generation in range(2, 8):
            server.restart()
            clients.await_generation(generation)
    assert clients.failures == []
    assert set(clients.generations) == set(range(1, 8))


def test_a_client_that_reads_nothing_when_told_to_go_keeps_no_generation(demo):
    """As httpx: it looks at its connection when it has something to ask, and not before."""
    server = demo("--idle-timeout", 600, "--drain", 600)
    with Http2Client(server.address) as client:
        assert client.ask().status == "200"
        server.restart()
        server.retire_predecessors()


@pytest.mark.parametrize("option, scheme", [("--http2-prior-knowledge", "http"), ("--http2", "https"),
                                            ("--http1.1", "https"), ("--http1.1", "http")])
def test_a_download_by_curl_goes_on_over_a_restart(secure, option, scheme):
    server = secure()
    old = server.current
    address = server.tls if scheme == "https" else server.address
    url = "%s://%s:%d/" % (scheme, *address[1])
    curl = ["curl", "-sk", option, "-w", "%{stderr}%{http_version}"]
    size = 30000000
    with subprocess.Popen([*curl, f"{url}blob?bytes={size}"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as download:
        got = len(download.stdout.read(100000))
        server.restart()
        done = subprocess.run([*curl, f"{url}generation"], capture_output=True, timeout=60, check=True)
        assert b'"generation":2' in done.stdout
        assert done.stderr == (b"2" if "http2" in option else b"1.1")
        if (option, scheme) == ("--http1.1", "http"):
            assert old.wait_exit() in (0, None), "the download has moved"
        else:
            server.await_draining(old)
            assert not old.has_exited(), "it still has the download"
        got += len(download.stdout.read())
        assert download.stderr.read() == done.stderr
    assert (download.returncode, got) == (0, size)
    assert old.wait_exit() in (0, None)
