# SPDX-License-Identifier: MIT
"""A client that speaks HTTP/2 frame by frame, so that it can also say what no library would."""

import socket
import ssl

import pytest

from waiting import Deadline

hpack = pytest.importorskip("hpack", reason="no python3-h2 here")
frames = pytest.importorskip("hyperframe.frame", reason="no python3-h2 here")

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
GET = [(":method", "GET"), (":scheme", "http"), (":authority", "localhost"), (":path", "/test")]


def request(path="/test", method="GET", *more):
    return [(":method", method), (":scheme", "http"), (":authority", "localhost"),
            (":path", path), *more]


class Stream:
    """What the server has said on one stream."""

    def __init__(self):
        self.headers, self.trailers = None, None
        self.informational = []
        self.body = b""
        self.ended = False
        self.reset = None

    @property
    def status(self):
        return self.headers and self.headers[":status"]

    @property
    def done(self):
        return self.ended or self.reset is not None


class Http2Client:
    """One connection. `wait()` reads frames until a condition holds; everything else only sends."""

    def __init__(self, address, context=None, settings=None, preface=True, acknowledge=True):
        _, name = address
        self.socket = socket.create_connection(name[:2], Deadline().left())
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            context.set_alpn_protocols(["h2"])
            self.socket = context.wrap_socket(self.socket, server_hostname="one.test")
            assert self.socket.selected_alpn_protocol() == "h2"
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.streams = {}
        self.pings, self.settings = [], []
        self.goaways = []
        self.closed = self.gone = False
        self.buffer = b""
        self.next_id = 1
        self.acknowledge = acknowledge
        self.windows = True  # open them again as data arrives
        self.send_window, self.initial_window, self.spent = 65535, 65535, {}
        if preface:
            self.raw(PREFACE)
            self.frame(frames.SettingsFrame(0, settings=settings or {}))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    # -- sending --

    def raw(self, data):
        try:
            self.socket.sendall(data)
        except OSError:  # the server has closed it: what it said before that can still be read
            self.gone = True

    def frame(self, frame, *flags):
        for flag in flags:
            frame.flags.add(flag)
        self.raw(frame.serialize())

    def open(self, headers=None, end=True, stream=None, flags=("END_HEADERS",)):
        """HEADERS of a new stream; returns its number."""
        number = stream or self.next_id
        self.next_id = number + 2
        frame = frames.HeadersFrame(number, self.encoder.encode(headers or GET))
        self.frame(frame, *flags, *(["END_STREAM"] if end else []))
        return number

    def data(self, number, data=b"", end=False):
        self.frame(frames.DataFrame(number, data), *(["END_STREAM"] if end else []))

    def ask(self, headers=None):
        """A whole request and its response."""
        number = self.open(headers)
        return self.answer(number)

    # -- receiving --

    def stream(self, number):
        return self.streams.setdefault(number, Stream())

    def answer(self, number):
        self.wait(lambda: self.stream(number).done or self.closed)
        assert self.stream(number).done, f"closed before stream {number} was answered"
        return self.stream(number)

    def wait(self, predicate):
        while not predicate():
            if self.closed and not self.buffer:
                return
            self.receive()

    def wait_closed(self):
        self.wait(lambda: self.closed)

    def receive(self):
        frame = self.next_frame()
        if frame is not None:
            self.take(frame)

    def next_frame(self):
        while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3], "big"):
            try:
                data = self.socket.recv(65536)
            except (ConnectionResetError, ssl.SSLEOFError):
                data = b""
            if not data:
                assert not self.buffer, "closed within a frame"
                self.closed = True
                return None
            self.buffer += data
        frame, length = frames.Frame.parse_frame_header(memoryview(self.buffer[:9]))
        frame.parse_body(memoryview(self.buffer[9:9 + length]))
        self.buffer = self.buffer[9 + length:]
        return frame

    def take(self, frame):
        kind = type(frame).__name__
        getattr(self, "take_" + kind, lambda _: None)(frame)

    def take_SettingsFrame(self, frame):
        self.settings.append(frame)
        self.initial_window = frame.settings.get(frames.SettingsFrame.INITIAL_WINDOW_SIZE,
                                                 self.initial_window)
        if "ACK" not in frame.flags and self.acknowledge:
            self.frame(frames.SettingsFrame(0), "ACK")

    def take_PingFrame(self, frame):
        self.pings.append(frame)
        if "ACK" not in frame.flags and self.acknowledge:
            self.frame(frames.PingFrame(0, frame.opaque_data), "ACK")

    def stream_window(self, number):
        return self.initial_window - self.spent.get(number, 0)

    def spend(self, number, count):
        self.send_window -= count
        self.spent[number] = self.spent.get(number, 0) + count

    def take_WindowUpdateFrame(self, frame):
        if frame.stream_id:
            self.spent[frame.stream_id] = self.spent.get(frame.stream_id, 0) - frame.window_increment
        else:
            self.send_window += frame.window_increment

    def take_GoAwayFrame(self, frame):
        self.goaways.append((frame.last_stream_id, frame.error_code))

    def take_RstStreamFrame(self, frame):
        self.stream(frame.stream_id).reset = frame.error_code

    def take_HeadersFrame(self, frame):
        stream = self.stream(frame.stream_id)
        assert "END_HEADERS" in frame.flags
        headers = dict(self.decoder.decode(frame.data))
        if headers.get(":status", "").startswith("1"):
            stream.informational.append(headers)
        elif stream.headers is None:
            stream.headers = headers
        else:
            stream.trailers = headers
        stream.ended = "END_STREAM" in frame.flags

    def take_DataFrame(self, frame):
        stream = self.stream(frame.stream_id)
        stream.body += frame.data
        stream.ended = "END_STREAM" in frame.flags
        if frame.flow_controlled_length and self.windows:
            self.frame(frames.WindowUpdateFrame(0, frame.flow_controlled_length))
            if not stream.ended:
                self.frame(frames.WindowUpdateFrame(frame.stream_id, frame.flow_controlled_length))
