# SPDX-License-Identifier: MIT
"""Connections that live long go on over restarts: WebSockets at every byte of a frame, streams, tunnels, with slow
clients, busy threads, a host that refuses, a successor that dies; and what stays behind goes politely."""

import hashlib
import json
import os
import re
import signal
import socket
import subprocess

import pytest

import httpd as programs
from httpd import blob, head
from live import Crowd, Echoer, Listener
from process import Process
from server import BUILD
from tunnel import Tunnel, handshake
from waiting import wait_until
from websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, WebSocket, close_payload, frame

NONE = 2**32 - 1  # HOT_NONE


@pytest.fixture
def httpd(household):
    return lambda *settings: programs.start(household, *settings)


class Httpd:
    """Generations of httpd, which says in its log who serves."""

    def __init__(self, server):
        self.server = server
        self.processes = [server.first]

    def restart(self):
        generation = len(self.processes) + 1
        self.processes[-1].signal(signal.SIGUSR2)
        log = self.server.log
        new = log.wait_for(re.compile(rf"restart: serving \(pid (\d+), generation {generation}\)"))
        self.processes.append(Process(int(new[1])))
        self.server.processes[generation] = self.processes[-1]
        self.server.generation = generation
        return self.processes[-1]


# -- crowds --

def restart_often(server, crowd, times):
    crowd.await_generation(1)
    for generation in range(2, times + 2):
        server.restart()
        crowd.await_generation(generation)
        server.retire_predecessors()


def test_sockets_and_streams_go_on_over_restarts(demo):
    server = demo()
    with Crowd(*[Echoer(server, n) for n in range(50)], *[Listener(server, n) for n in range(20)]) as crowd:
        restart_often(server, crowd, 5)
    assert all(member.generations == {1, 2, 3, 4, 5, 6} for member in crowd.members)


def test_with_a_probation_one_process_is_left(demo):
    server = demo("--probation", "0.3", "--threads", "1")
    with Crowd(*[Echoer(server, n) for n in range(10)], *[Listener(server, n) for n in range(10)]) as crowd:
        restart_often(server, crowd, 2)
        assert len(server.processes) == 1 and server.current.children() == []


# -- WebSockets, at every byte --

SEQUENCES = [
    ("text", frame(TEXT, b"hello"), [(TEXT, b"hello")]),
    ("empty", frame(BINARY), [(BINARY, b"")]),
    ("16 bits of length", frame(BINARY, b"x" * 130), [(BINARY, b"x" * 130)]),
    ("64 bits of length", frame(BINARY, b"y" * 65536), [(BINARY, b"y" * 65536)]),
    ("two messages", frame(TEXT, b"one") + frame(TEXT, b"two"), [(TEXT, b"one"), (TEXT, b"two")]),
    ("a character", frame(TEXT, "ü€𝄞".encode()), [(TEXT, "ü€𝄞".encode())]),
    ("fragments", frame(TEXT, b"one ", fin=False) + frame(CONTINUATION, b"", fin=False) + frame(CONTINUATION, b"two"),
     [(TEXT, b"one two")]),
    ("a character in fragments", frame(TEXT, b"\xe2", fin=False) + frame(CONTINUATION, b"\x82", fin=False) +
     frame(CONTINUATION, b"\xac"), [(TEXT, b"\xe2\x82\xac")]),
    ("ping", frame(PING, b"abc"), [(PONG, b"abc")]),
    ("pong", frame(PONG, b"abc") + frame(TEXT, b"a"), [(TEXT, b"a")]),
    ("pings between fragments", frame(TEXT, b"a", fin=False) + frame(PING, b"1") + frame(CONTINUATION, b"b", fin=False) +
     frame(PING, b"2") + frame(PONG) + frame(CONTINUATION, b"c"), [(PONG, b"1"), (PONG, b"2"), (TEXT, b"abc")]),
]


class Cut:
    """A socket of which `cut` bytes of a sequence are sent before the restart, and the rest behind it."""

    def __init__(self, server, data, answers, cut):
        self.client = server.connect()
        self.web = WebSocket(self.client)
        self.data, self.answers, self.cut = data, answers, cut
        self.client.send(data[:cut])

    def finish(self):
        self.client.send(self.data[self.cut:] + frame(TEXT, b"the end"))
        for answer in [*self.answers, (TEXT, b"the end")]:
            assert self.web.receive() == answer, f"{self.data} cut at {self.cut}"
        self.client.close()


@pytest.mark.parametrize("_, data, answers", SEQUENCES, ids=[name for name, *_ in SEQUENCES])
def test_a_move_at_every_byte_of_a_frame(demo, _, data, answers):
    server = demo()
    places = range(len(data) + 1) if len(data) < 1000 else [*range(20), len(data) // 2, len(data) - 1, len(data)]
    cuts = [Cut(server, data, answers, cut) for cut in places]
    server.restart()
    server.retire_predecessors()
    for cut in cuts:
        cut.finish()


def test_a_message_in_pieces_over_five_restarts(demo):
    server = demo()
    message = os.urandom(60000)
    data = b"".join(frame(CONTINUATION if n else BINARY, message[n:n + 10000], fin=n == 50000)
                    for n in range(0, 60000, 10000))
    with server.connect() as client:
        web = WebSocket(client)
        for n in range(6):
            if n:
                server.restart()
                server.retire_predecessors()
            client.send(data[n * len(data) // 6:(n + 1) * len(data) // 6])
        assert web.receive() == (BINARY, message)


def test_a_protocol_error_half_before_a_restart_is_found_behind_it(demo):
    server = demo()
    bad = frame(TEXT, b"\xc3\x28") + frame(TEXT, b"never")
    cuts = []
    for cut in range(7):
        client = server.connect()
        cuts.append((client, WebSocket(client), cut))
        client.send(bad[:cut])
    server.restart()
    server.retire_predecessors()
    for client, web, cut in cuts:
        client.send(bad[cut:])
        opcode, payload = web.receive()
        assert opcode == CLOSE and payload[:2] == close_payload(1007)
        client.close()


def test_who_closes_in_the_middle_of_a_restart_gets_the_close_it_began(httpd):
    server = httpd(f"probation_ms={NONE}")
    with server.connect() as client:
        web = WebSocket(client)
        web.send(TEXT, b"close")
        assert web.receive() == (CLOSE, close_payload(3000, b"as you wish"))
        first = Httpd(server).processes[0]
        Httpd(server).restart()
        web.send(CLOSE, close_payload(3000))
        assert web.at_end()
        assert first.wait_exit() == 0


def test_more_fragments_than_are_remembered_stay_until_the_message_is_whole(demo):
    """The frames of a message are more than its content: nothing of it is kept, and the socket moves behind it."""
    server = demo()
    with server.connect() as client:
        web = WebSocket(client, "/ws?who")
        first = server.current
        client.send(frame(BINARY, b"", fin=False) + frame(CONTINUATION, b"", fin=False) * 200000)
        web.send(PING, b"all read")
        assert web.receive() == (PONG, b"all read")
        server.restart()
        web.send(CONTINUATION, b"")
        assert json.loads(web.receive()[1])["pid"] == first.pid
        generation, n = 1, 1
        while generation == 1:  # a quick client is answered once more by who is about to give it away
            web.send(TEXT, b"again")
            answer = json.loads(web.receive()[1])
            generation, n = answer["generation"], n + 1
            assert answer["n"] == n
        server.retire_predecessors()


# -- slow clients --

def narrow(client):
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)


def test_a_socket_that_is_not_read_loses_nothing(demo):
    server = demo()
    with server.connect() as client:
        web = WebSocket(client)
        client.socket.setblocking(False)
        sent, rest = 0, b""
        while not rest:
            data = frame(BINARY, b"%06d" % sent + bytes(9994))
            try:
                rest = data[client.socket.send(data):]
            except BlockingIOError:
                break
            sent += not rest
            assert sent < 1 << 16
        client.socket.setblocking(True)
        for _ in range(3):
            server.restart()
            server.retire_predecessors()
        for n in range(sent + bool(rest)):
            if n == sent:
                client.send(rest)
            opcode, payload = web.receive()
            assert opcode == BINARY and payload[:6] == b"%06d" % n and len(payload) == 10000


def test_a_stream_that_is_not_read_loses_nothing(demo):
    server = demo()
    with server.connect() as slow, server.connect() as client:
        narrow(slow)
        slow.send("GET /events?ms=1 HTTP/1.1\r\nHost: a\r\n\r\n")
        listener = Listener(server, 0, ms=1)
        with Crowd(listener) as crowd:
            for generation in (2, 3, 4):
                server.restart()
                crowd.await_generation(generation)
                crowd.await_all(lambda member: member.count > 300 * generation, "events")
                server.retire_predecessors()
        data = b""
        while b'"generation":4,' not in data:
            data += slow.socket.recv(65536)
        ids = [int(n) for n in re.findall(rb"^id: (\d+)$", data.split(b'"generation":4,')[0], re.MULTILINE)]
        assert ids == list(range(1, len(ids) + 1)) and len(ids) > 100
        assert client.get("/test").status == 200


@pytest.mark.parametrize("request_, framing", [
    (head("/blob?bytes=20000000"), b"Content-Length: 20000000"),
    (head("/blob?bytes=20000000&length=no"), b"Transfer-Encoding: chunked"),
    (head("/blob?bytes=20000000&length=no", version="HTTP/1.0"), b"Connection: close"),
    (head("/blob?bytes=20000000", "Connection: close"), b"Connection: close"),
], ids=["length", "chunks", "until it closes", "the last"])
def test_a_download_goes_on_where_it_was(demo, request_, framing):
    server = demo()
    with server.connect() as client:
        client.send(request_ + head("/generation") * (b"close" not in framing))
        data = client.socket.recv(1000)
        for _ in range(3):
            server.restart()
            server.retire_predecessors()
            data += client.socket.recv(100000)
        top, data = data.split(b"\r\n\r\n", 1)
        assert framing in top
        if b"close" in framing:
            data += programs.read_to_end(client)
        else:
            while not data.endswith(b"}\n"):
                data += client.socket.recv(1 << 20)
    if b"chunked" in framing:
        data = unchunk(data)
    assert data[:20000000] == blob(20000000)
    if b"close" not in framing:
        assert b'"generation":4' in data[20000000:], "what was asked behind it"


def unchunk(data):
    out = b""
    while True:
        size, data = data.split(b"\r\n", 1)
        size = int(size, 16)
        out += data[:size]
        assert data[size:size + 2] == b"\r\n"
        data = data[size + 2:]
        if size == 0:
            return out + data


# -- threads that say something meanwhile --

def test_what_other_threads_send_is_neither_lost_nor_twice_nor_mixed_up(httpd):
    server = httpd(f"probation_ms={NONE}", "loops=2")
    house = Httpd(server)
    with server.connect() as client:
        web = WebSocket(client, "/ws-counting")
        seen = 0

        def read(n):
            nonlocal seen
            for _ in range(n):
                seen += 1
                assert web.receive() == (TEXT, b"%d" % seen)

        for _ in range(5):
            read(5000)
            old = house.processes[-1]
            house.restart()
            read(5000)
            assert old.wait_exit() in (0, None)
        assert server.get("/live").body == b"", "this generation's has not ended"


# -- tunnels --

def test_tunnels_at_full_speed(demo):
    server = demo()
    data = os.urandom(1 << 20)
    digest = hashlib.sha256(data * 64).digest()
    restarts = iter(range(2, 7))
    got, at, total = hashlib.sha256(), 0, 0
    with server.connect() as client:
        tunnel = Tunnel(client)
        tunnel.socket.settimeout(30)
        marks = [n * (64 << 20) // 6 for n in range(1, 6)]
        sender = os.fork()
        if sender == 0:
            try:
                for _ in range(64):
                    tunnel.send(data)
                tunnel.end()
            finally:
                os._exit(0)
        while piece := tunnel.socket.recv(1 << 20):
            got.update(piece)
            total += len(piece)
            if marks and total > marks[0]:
                marks.pop(0)
                server.current.signal(signal.SIGUSR2)
                server.await_generation(next(restarts))
    os.waitpid(sender, 0)
    assert (at, total) == (0, 64 << 20) and got.digest() == digest and not marks
    server.retire_predecessors()


def test_what_a_tunnels_host_has_not_taken_travels(httpd):
    server = httpd(f"probation_ms={NONE}")
    house = Httpd(server)
    with server.connect() as client:
        tunnel = Tunnel(client, handshake("/tunnel-moves"))
        tunnel.send(b"0123456789abcdef")
        tunnel.end()
        assert tunnel.take(3) == b"012"
        for expected in (b"345", b"678", b"9ab", b"cde", b"f"):
            house.restart()
            assert tunnel.take(len(expected)) == expected
        assert tunnel.rest() == b""
    wait_until(lambda: server.get("/live").body == b"0 ", "it has ended here")


def test_a_tunnel_that_is_not_read_loses_nothing(demo):
    server = demo()
    with server.connect() as client:
        tunnel = Tunnel(client)
        tunnel.socket.setblocking(False)
        pattern = os.urandom(9973)
        sent = 0
        with pytest.raises(BlockingIOError):
            while sent < 1 << 28:
                sent += tunnel.socket.send(pattern[sent % 9973:])
        tunnel.socket.setblocking(True)
        for _ in range(3):
            server.restart()
            server.retire_predecessors()
        got = tunnel.take(sent)
        assert got == (pattern * (sent // 9973 + 1))[:sent]


# -- those that stay --

def pinned(process):
    """What an old generation counts by reason, as it says on the control socket of the new one."""
    out = subprocess.run([os.path.join(BUILD, "hotstart"), "status", "--json", str(process.pid)], check=True,
                         capture_output=True, text=True).stdout
    found = next(one for one in json.loads(out)["generations"] if one["pid"] == process.pid)
    return {reason: count for reason, count in found["handover"]["pinned"].items() if count}


def test_what_cannot_move_stays_and_goes_politely(httpd):
    server = httpd(f"probation_ms={NONE}", "drain_ms=3000")
    house = Httpd(server)
    with server.connect() as one, server.connect() as two, server.connect() as three, server.connect() as four:
        web, unsaved = WebSocket(one), WebSocket(two, "/ws-unsaved")
        tunnel = Tunnel(three)
        four.send(head("/events"))
        first = house.processes[0]
        house.restart()
        for socket_ in (web, unsaved):
            socket_.send(TEXT, b"still here")
            assert socket_.receive() == (TEXT, b"still here")
        assert pinned(first) == {"websocket": 2, "tunnel": 1, "stream": 1}
        for socket_ in (web, unsaved):
            assert socket_.receive() == (CLOSE, close_payload(1001))
            socket_.send(CLOSE, close_payload(1001))
            assert socket_.at_end()
        assert tunnel.rest() == b""
        tunnel.end()
        data = b""
        while not data.endswith(b"\r\n0\r\n\r\n"):
            piece = four.socket.recv(65536)
            assert piece, data
            data += piece
        for client in (one, two, three, four):
            client.close()
        assert first.wait_exit() == 0


def test_what_a_new_release_refuses_the_old_one_goes_on_with(httpd):
    server = httpd(f"probation_ms={NONE}", "drain_ms=3000")
    house = Httpd(server)
    with server.connect() as client:
        web = WebSocket(client, "/ws-refused")
        client.send(frame(TEXT, b"half")[:3])
        first = house.processes[0]
        house.restart()
        client.send(frame(TEXT, b"half")[3:])
        assert web.receive() == (TEXT, b"half")
        assert pinned(first) == {"refused": 1}
        assert web.receive() == (CLOSE, close_payload(1001))
        web.send(CLOSE, close_payload(1001))
        assert web.at_end()
    assert first.wait_exit() == 0


def test_a_socket_whose_new_generation_dies_comes_back(demo):
    server = demo("--probation", "20")
    with server.connect() as client:
        web = WebSocket(client, "/ws?who")
        web.send(TEXT, b"one")
        first = json.loads(web.receive()[1])
        second = server.restart()
        wait_until(lambda: b'{result="adopted"} ' in server.get("/metrics").body and
                   not re.search(rb'adopted"} 0\n', server.get("/metrics").body), "it has moved")
        second.kill()
        server.log.wait_for(re.compile(r"resumed|serving on \S+ \(generation 1\)[\s\S]*serving on \S+ \(generation 1\)"))
        web.send(TEXT, b"two")
        answer = json.loads(web.receive()[1])
        assert answer == {"n": 2, "generation": 1, "pid": first["pid"]}
    server.generation = 1
    second.wait_exit()
    server.processes.pop(2).close()
