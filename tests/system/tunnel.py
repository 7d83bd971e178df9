# SPDX-License-Identifier: MIT
"""A client of tunnels: after "Upgrade: PROTOCOL" or CONNECT a connection is bytes both ways."""

import select
import socket


def handshake(path="/tunnel", protocol="echo", *fields):
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: a", "Connection: Upgrade", f"Upgrade: {protocol}", *fields,
                        "", ""])


class Tunnel:
    """One that is open: `client` is a Client."""

    def __init__(self, client, request=None, status=101):
        self.client = client
        self.socket = client.socket
        client.send(request or handshake())
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.socket.recv(65536)
            assert piece, data
            data += piece
        top, self.data = data.split(b"\r\n\r\n", 1)
        self.head = top.decode()
        assert self.head.startswith(f"HTTP/1.1 {status} "), self.head

    def send(self, data):
        self.client.send(data)

    def take(self, n):
        """Exactly n bytes."""
        while len(self.data) < n:
            piece = self.socket.recv(1 << 20)
            assert piece, f"the end after {len(self.data)} of {n} bytes"
            self.data += piece
        taken, self.data = self.data[:n], self.data[n:]
        return taken

    def end(self):
        self.socket.shutdown(socket.SHUT_WR)

    def rest(self):
        """All that comes until the end. A reset fails the test."""
        data, self.data = self.data, b""
        while piece := self.socket.recv(1 << 20):
            data += piece
        return data

    def pump(self, data):
        """Send it while reading what comes back, which ends with the tunnel."""
        got, at = [], 0
        self.socket.setblocking(False)
        view = memoryview(data)
        while True:
            readable, writable, _ = select.select([self.socket], [self.socket] if at < len(data) else [], [], 30)
            assert readable or writable, f"nothing moves after {at} of {len(data)} bytes"
            if writable:
                try:
                    at += self.socket.send(view[at:at + 65536])
                except BlockingIOError:
                    pass
                if at == len(data):
                    self.end()
            if readable:
                piece = self.socket.recv(1 << 20)
                if not piece:
                    self.socket.setblocking(True)
                    return b"".join(got)
                got.append(piece)
