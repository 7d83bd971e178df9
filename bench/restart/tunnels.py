# SPDX-License-Identifier: MIT
"""What long connections leave behind: before each of ten restarts somebody opens a WebSocket, and keeps it.

The peers lead it on to a backend; the demo is the end of it itself.
"""

import socket
import time
import urllib.request

import report
import servers

RESTARTS = 10

COLUMNS = [
    report.Column("took_effect", "took effect", 0),
    report.Column("open", "still open", 0),
    report.Column("processes", "processes before", 0),
    report.Column("left", "left", 0),
    report.Column("mb", "MB before", 1),
    report.Column("left_mb", "MB left", 1),
]


class Tunnel:
    """A WebSocket, as far as it takes to see that it is alive."""

    HANDSHAKE = (b"GET /ws HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    TEXT, PING, PONG = 0x81, 0x89, 0x8A

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 5)
        self.socket.sendall(self.HANDSHAKE)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = self.socket.recv(1)
            if not byte:
                raise servers.Trouble("it opens no WebSocket")
            head += byte
        if b" 101 " not in head or not self.echoes():
            raise servers.Trouble(f"it opens no WebSocket: {head!r}")

    def send(self, opcode, payload):
        """Short, and masked with nothing."""
        self.socket.sendall(bytes([opcode, 0x80 | len(payload), 0, 0, 0, 0]) + payload)

    def read(self, count):
        got = self.socket.recv(count, socket.MSG_WAITALL) if count else b""
        if len(got) < count:
            raise ConnectionError("closed")
        return got

    def receive(self):
        """The next message's first byte and payload; pings on the way are answered."""
        while True:
            opcode, length = self.read(2)
            payload = self.read(length)
            if opcode != self.PING:
                return opcode, payload
            self.send(self.PONG, payload)

    def echoes(self):
        try:
            self.send(self.TEXT, b"hi")
            answer = self.receive()
        except OSError as error:
            self.why = str(error)
            return False
        self.why = "" if answer == (self.TEXT, b"hi") else repr(answer)
        return not self.why

    def close(self):
        self.socket.close()


def opened(server):
    """One, or none: lighttpd takes no connection while it waits for the tunnels of before the restart."""
    try:
        return [Tunnel(server.port)]
    except OSError:
        return []


def answering(server):
    """The generation that answers a new connection, or None."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/test", timeout=2) as answer:
            return int(answer.headers["X-Generation"])
    except OSError:
        return None


def takes_effect(server):
    before = answering(server)
    try:
        server.restart()
        servers.wait_until("nobody new", lambda: answering(server) not in (None, before), 5)
        return True
    except servers.Trouble:
        return False


def measure(server, restarts, gap):
    time.sleep(1)
    row = {"processes": len(server.pids()), "mb": server.memory() / 1e6, "took_effect": 0}
    tunnels = []
    for _ in range(restarts):
        tunnels += opened(server)
        row["took_effect"] += takes_effect(server)
        time.sleep(gap)
    row["left"], row["left_mb"] = len(server.pids()), server.memory() / 1e6
    row["open"] = sum(tunnel.echoes() for tunnel in tunnels)
    row["lost"] = [tunnel.why for tunnel in tunnels if tunnel.why]
    for tunnel in tunnels:
        tunnel.close()
    return row


def run(options):
    restarts, gap = (2, 2.2) if options.quick else (RESTARTS, 2.2)
    names = servers.choose(options.only)
    print(f"tunnels: one WebSocket opened before each of {restarts} restarts, and kept")
    return servers.with_server("demo", lambda backend: report.rounds(
        max(1, options.rounds // 5), names, COLUMNS, lambda name: servers.with_server(
            name, lambda server: measure(server, restarts, gap), backend.port)))
