# SPDX-License-Identifier: MIT
"""Servers that speak HTTP/2, WebSocket or an event stream, and do one thing wrong on purpose: a thread for each
connection, in the process of the test."""
import base64
import hashlib
import socket
import struct
import threading

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1
REFUSED_STREAM, INTERNAL_ERROR = 7, 2
# Each is written by a client as it asks, so many at once.
DEPTH = 4


class Closed(Exception):
    pass


class Speaker:
    """`with Speaker(speak, mode) as target:`; @speak(peer, mode, number) serves one connection."""

    def __init__(self, speak, mode):
        self.speak, self.mode = speak, mode
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.peers, self.threads, self.number = [], [], 0
        self.main = threading.Thread(target=self.accept)

    def __enter__(self):
        self.main.start()
        return f"tcp:127.0.0.1:{self.listener.getsockname()[1]}"

    def __exit__(self, *unused):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.main.join()
        self.listener.close()
        for peer in self.peers:
            peer.abort()
        for thread in self.threads:
            thread.join()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.number += 1
            peer = Peer(connection)
            self.peers.append(peer)
            self.threads.append(threading.Thread(target=self.serve, args=(peer, self.number)))
            self.threads[-1].start()

    def serve(self, peer, number):
        try:
            self.speak(peer, self.mode, number)
        except (Closed, OSError):
            pass
        finally:
            peer.close()


class Peer:
    def __init__(self, connection):
        self.socket, self.data = connection, b""
        self.lock, self.closed, self.hard = threading.Lock(), False, False
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def take(self, count):
        while len(self.data) < count:
            piece = self.socket.recv(65536)
            if not piece:
                raise Closed
            self.data += piece
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def take_head(self):
        while b"\r\n\r\n" not in self.data:
            piece = self.socket.recv(65536)
            if not piece:
                raise Closed
            self.data += piece
        head, self.data = self.data.split(b"\r\n\r\n", 1)
        return head.decode()

    def send(self, data, ends=False):
        """With `ends` it waits for the end, which comes in the same packet: nobody can speak in between."""
        self.socket.sendall(data, socket.MSG_MORE if ends else 0)

    def reset(self):
        self.hard = True
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def abort(self):
        with self.lock:
            if not self.closed:
                try:
                    self.socket.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def drain(self):
        """A close with input unread would be a reset."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
            while self.socket.recv(65536):
                pass
        except OSError:
            pass

    def close(self):
        if not self.hard:
            self.drain()
        with self.lock:
            self.socket.close()
            self.closed = True


def field(head, name):
    for line in head.split("\r\n")[1:]:
        key, value = line.split(": ", 1)
        if key.lower() == name:
            return value
    return None


# ---- HTTP/1.1 ----

STALLED = 5  # the request that has to wait
STALL = 0.2


def http1(peer, mode, number):
    """Answers at once, but for one request of a connection."""
    served = 0
    while True:
        peer.take_head()
        served += 1
        if served == STALLED:
            threading.Event().wait(STALL)
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


# ---- HTTP/2 ----

def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def take_frame(peer):
    head = peer.take(9)
    length = int.from_bytes(head[:3], "big")
    kind, flags, stream = struct.unpack(">BBI", head[3:])
    return kind, flags, stream, peer.take(length)


def take_requests(peer):
    """The streams of one batch."""
    streams = []
    while len(streams) < DEPTH:
        kind, flags, stream, payload = take_frame(peer)
        if kind == HEADERS:
            streams.append(stream)
        elif kind == SETTINGS and not flags & ACK:
            peer.send(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            peer.send(frame(PING, ACK, 0, payload))
        elif kind == GOAWAY:
            raise Closed
    return streams


def answer(stream, body=b"test 22222", status=b"\x88"):
    return frame(HEADERS, END_HEADERS, stream, status) + frame(DATA, END_STREAM, stream, body)


def goaway(last):
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, 0))


def http2(peer, mode, number):
    peer.take(len(PREFACE))
    peer.send(frame(SETTINGS, 0, 0))
    while True:
        streams = take_requests(peer)
        first, rest = streams[:1], streams[1:]
        if mode == "backwards":
            for stream in reversed(streams):
                peer.send(answer(stream))
        elif mode == "goaway":
            # The first two are taken; the client is told, and the others are nobody's.
            peer.send(goaway(streams[1]) + b"".join(answer(s) for s in streams[:2]))
            return
        elif mode == "goaway-after":
            peer.send(b"".join(answer(s) for s in streams) + goaway(streams[-1]))
            return
        elif mode == "promised":
            # All were taken, and only the first is answered.
            peer.send(goaway(streams[-1]) + answer(streams[0]))
            return
        elif mode == "silent":
            return
        elif mode == "close-after":
            peer.send(b"".join(answer(s) for s in streams), ends=True)
            return
        elif mode == "cut":
            peer.send(frame(HEADERS, END_HEADERS, streams[0], b"\x88") + frame(DATA, 0, streams[0], b"test") +
                      b"".join(answer(s) for s in rest))
            return
        elif mode == "refuse":
            peer.send(b"".join(frame(RST_STREAM, 0, s, struct.pack(">I", REFUSED_STREAM)) for s in first) +
                      b"".join(answer(s) for s in rest))
        elif mode == "status":
            peer.send(b"".join(answer(s, status=b"\x8d") for s in streams))
        elif mode == "garbage":
            peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            return
        else:
            peer.send(b"".join(answer(s) for s in streams))


# ---- WebSocket ----

def take_message(peer):
    """The next text; a close frame is answered, and ends all."""
    first, second = peer.take(2)
    length = second & 127
    if length == 126:
        length, = struct.unpack(">H", peer.take(2))
    mask = peer.take(4)
    payload = bytes(b ^ mask[i % 4] for i, b in enumerate(peer.take(length)))
    if first & 15 == 8:
        raise Closed
    return payload


def message(payload, opcode=1):
    length = struct.pack(">B", len(payload)) if len(payload) < 126 else struct.pack(">BH", 126, len(payload))
    return bytes([128 | opcode]) + length + payload


def close_frame(code):
    return message(struct.pack(">H", code), opcode=8)


def websocket(peer, mode, number):
    head = peer.take_head()
    if mode == "no":
        peer.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        return
    key = "AAAA" if mode == "wrong-key" else field(head, "sec-websocket-key")
    accept = base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()
    peer.send(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode())
    if mode == "greeting":
        peer.send(message(b"welcome"))
    while True:
        texts = [take_message(peer) for _ in range(DEPTH)]
        echoes = [message(text) for text in texts]
        if mode == "gap":
            del echoes[1]
        elif mode == "twice":
            echoes.insert(1, echoes[0])
        elif mode == "wrong":
            echoes[0] = message(texts[0][:-1] + b"?")
        elif mode == "last-lost":
            del echoes[-1]
        peer.send(b"".join(echoes))
        if mode == "close":
            peer.send(close_frame(1001))
            return
        if mode == "last-lost":
            peer.send(close_frame(1001))
            return
        if mode == "eof":
            return
        if mode == "reset":
            peer.take(1)
            peer.reset()
            return
        if mode == "ping":
            peer.send(message(b"there?", opcode=9))
            first, second = peer.take(2)
            peer.take(4 + (second & 127))
            if first & 15 != 10:
                raise Closed


# ---- an event stream ----

def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def event(number):
    return b"id: %d\ndata: x\n\n" % number


def events(peer, mode, number):
    head = peer.take_head()
    last = int(field(head, "last-event-id") or 0)
    start = last if mode != "per-connection" else 0
    if mode == "no":
        peer.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        return
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    if mode == "replay" and last:
        start = last - 1
    ids = [start + 1, start + 2, start + 3, start + 4]
    if mode == "gap":
        del ids[1]
    elif mode == "twice":
        ids.insert(1, ids[0])
    peer.send(chunk(b": a comment\n\n") + b"".join(chunk(event(i)) for i in ids))
    if mode == "inside":
        peer.send(chunk(b"id: %d\nda" % (ids[-1] + 1)) + b"0\r\n\r\n")
    elif mode != "eof":
        peer.send(b"0\r\n\r\n")
    if mode == "open":
        peer.take(1)
