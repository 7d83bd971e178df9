# SPDX-License-Identifier: MIT
"""A WebSocket client (RFC 6455) that can also do what one must not."""

import base64
import hashlib
import os
import struct

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def handshake(path="/ws", key=None, **changes):
    """The request. `changes`: fields to replace, or with None to leave out (upgrade=None)."""
    fields = {"Host": "a", "Upgrade": "websocket", "Connection": "keep-alive, Upgrade",
              "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key or base64.b64encode(os.urandom(16)).decode()}
    fields.update({name.replace("_", "-"): value for name, value in changes.items()})
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""])


def frame(opcode, payload=b"", fin=True, mask=b"mask", rsv=0, length=None):
    """A frame, masked unless mask is None. `length`: another one than the payload has."""
    length = len(payload) if length is None else length
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    masked = 0x80 if mask else 0
    if length < 126:
        head += bytes([masked | length])
    elif length < 65536:
        head += bytes([masked | 126]) + struct.pack(">H", length)
    else:
        head += bytes([masked | 127]) + struct.pack(">Q", length)
    if not mask:
        return head + payload
    return head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


def close_payload(code, reason=b""):
    return struct.pack(">H", code) + reason


class WebSocket:
    def __init__(self, client, path="/ws", **fields):
        self.client = client
        self.data = b""
        key = base64.b64encode(os.urandom(16)).decode()
        client.send(handshake(path, key, **fields))
        while b"\r\n\r\n" not in self.data:
            self.fill()
        top, self.data = self.data.split(b"\r\n\r\n", 1)
        self.head = top.decode()
        accept = base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()
        assert self.head.startswith("HTTP/1.1 101 Switching Protocols\r\n"), self.head
        assert f"\r\nSec-WebSocket-Accept: {accept}\r\n" in self.head + "\r\n"
        assert "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" in self.head

    def fill(self):
        piece = self.client.socket.recv(65536)
        if not piece:
            raise EOFError(self.data)
        self.data += piece

    def take(self, n):
        while len(self.data) < n:
            self.fill()
        taken, self.data = self.data[:n], self.data[n:]
        return taken

    def send(self, opcode, payload=b"", **how):
        self.client.send(frame(opcode, payload, **how))

    def receive(self):
        """The next frame, as (opcode, payload). The server's frames are whole and not masked."""
        first, second = self.take(2)
        assert first & 0xf0 == 0x80 and second < 128, (first, second)
        length = second
        if length == 126:
            length, = struct.unpack(">H", self.take(2))
        elif length == 127:
            length, = struct.unpack(">Q", self.take(8))
        return first & 0xf, self.take(length)

    def at_end(self):
        """Is that all, without a reset?"""
        return self.data == b"" and self.client.socket.recv(1) == b""
