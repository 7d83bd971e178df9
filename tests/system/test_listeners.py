# SPDX-License-Identifier: MIT
"""Listeners that change between generations: nobody who has connected is lost."""

import concurrent.futures
import contextlib
import ctypes
import os
import re
import resource
import select
import signal
import socket
import threading

import pytest

from load import Load
from process import Process
from server import BUILD, Client, bound_address
from waiting import Deadline, wait_until

ANSWER = os.path.join(BUILD, "tests", "answer")
PR_CAPBSET_DROP, CAP_NET_ADMIN = 24, 12
N_QUEUED = 1000
REQUEST = b"GET /generation HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture(autouse=True)
def enough_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8192)), hard))


def addresses_of(process):
    """Where its sockets are bound, in the order in which it was told to, each once."""
    found = []
    for row in process.fd_table():
        if re.match(r"socket AF_(INET|UNIX)\w* SOCK_(STREAM listening|DGRAM)$", row.kind):
            address = bound_address(process, row)
            if address[1] and address not in found:
                found.append(address)
    return found


def port_of(address):
    return address[1][1]


@contextlib.contextmanager
def queued(address, number=N_QUEUED, request=REQUEST):
    """Connected clients whose request is sent."""
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(number):
            client = stack.enter_context(socket.socket(address[0]))
            client.settimeout(Deadline().left())
            client.connect(address[1])
            if request:
                client.sendall(request)
            clients.append(client)
        yield clients


def read_all(client):
    found = b""
    while chunk := client.recv(65536):
        found += chunk
    return found


def generations_of(clients):
    """Who answered, one number a client. One that got no complete answer fails the test."""
    found = []
    for number, client in enumerate(clients):
        answer = read_all(client)
        match = re.search(rb'"generation":(\d+)', answer)
        assert answer.startswith(b"HTTP/1.1 200 ") and match, f"client {number}: {answer!r}"
        found.append(int(match.group(1)))
    return found


def release(releases, server, *listen, probation=0):
    """
    What the next restart starts: a program of its own that listens there, whatever it is told to. A
    generation that was started so executes, when it restarts, what it was executed as.
    """
    generation = server.generation + 1
    real = releases.install(f"real-{generation}")
    words = " ".join(f'--listen "{one}"' for one in listen) + f" --probation {probation}"
    releases.shell(f"script-{generation}", f'exec "{real}" {words}')
    if server.generation == 1:
        releases.switch(f"script-{generation}")
    else:
        os.rename(releases.path(f"script-{generation}"), server.current.exe())


def listeners_of(process):
    return len({row.target for row in process.listeners()})


def await_listeners(process, number):
    """What it holds for an older generation it closes when it hears that, or how, this one has ended."""
    wait_until(
        lambda: listeners_of(process) == number,
        lambda: f"{number} listeners: {process.listeners()}",
    )


def test_a_thousand_in_the_queues_are_served_while_listeners_come_change_and_go(
    demo, releases, tmp_path
):
    path = str(tmp_path / "gone.sock")
    server = demo(
        listen=["127.0.0.1:0", "127.0.0.1:0", f"unix:{path}"], program=releases.current
    )
    server.address, other = addresses_of(server.current)[:2]
    kept = port_of(server.address)
    new = str(tmp_path / "new.sock")
    release(releases, server, f"127.0.0.1:{kept}?backlog=77&nodelay=1", f"unix:{new}")
    old = server.current
    old.freeze()
    try:
        with contextlib.ExitStack() as stack:
            sets = [
                stack.enter_context(queued(address))
                for address in (
                    server.address,
                    other,
                    (socket.AF_UNIX, path),
                )
            ]
            old.signal(signal.SIGUSR2)
            old.thaw()
            server.generation = 1
            for clients in sets:
                assert len(generations_of(clients)) == N_QUEUED
    finally:
        old.thaw()
    server.await_generation(2)
    server.retire_predecessors()
    await_listeners(server.current, 2)
    with Client((socket.AF_UNIX, new)) as client:
        assert client.get("/generation", ["Connection: close"]).generation == 2
    for address in (other, (socket.AF_UNIX, path)):
        with pytest.raises((ConnectionRefusedError, FileNotFoundError)):
            Client(address)
    wait_until(
        lambda: not [name for name in os.listdir(tmp_path) if name.startswith("gone.sock")],
        lambda: f"nothing is left of the path: {os.listdir(tmp_path)}",
    )


def connect_until(address, stop, results):
    """
    Connect, ask, read, again. Who is connected must be answered; who is refused had nobody there.
    """
    while not stop.is_set():
        with socket.socket(address[0]) as client:
            client.settimeout(Deadline().left())
            try:
                client.connect(address[1])
            except (ConnectionRefusedError, FileNotFoundError):
                results.append("refused")
                return
            try:
                client.sendall(REQUEST)
                answer = read_all(client)
            except OSError as error:
                results.append(error)
                return
            results.append(200 if answer.startswith(b"HTTP/1.1 200 ") else answer)


def reuseport(port, number, more=""):
    return f"tcp://127.0.0.1:{port}?reuseport={number}{more}"


def without_net_admin(start):
    """
    Call it in a thread that cannot give this capability to what it executes: newer kernels want it of
    who filters what reaches a TCP socket. Other users than root have not got it anyway.
    """

    def give_up_and_start():
        libc = ctypes.CDLL(None, use_errno=True)
        if os.geteuid() == 0 and libc.prctl(PR_CAPBSET_DROP, CAP_NET_ADMIN, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "PR_CAPBSET_DROP")
        return start()

    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        return thread.submit(give_up_and_start).result()


@pytest.mark.parametrize("kind", ["tcp", "tcp without CAP_NET_ADMIN", "group", "unix"])
def test_who_reaches_a_listener_on_its_last_day_is_answered(demo, releases, tmp_path, kind):
    path = str(tmp_path / "gone.sock")
    gone = {"unix": f"unix:{path}", "group": reuseport(0, 2)}.get(kind, "127.0.0.1:0")

    def start():
        return demo(listen=["127.0.0.1:0", gone], program=releases.current)

    server = start() if kind in ("tcp", "unix") else without_net_admin(start)
    server.address, address = addresses_of(server.current)[:2]
    kept = port_of(server.address)
    if kind == "unix":
        address = (socket.AF_UNIX, path)
    stop, results = threading.Event(), []
    threads = [
        threading.Thread(target=connect_until, args=(address, stop, results)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(results) > 100, "the load is on")
        release(releases, server, f"127.0.0.1:{kept}")
        server.restart()
        for thread in threads:
            thread.join(Deadline().left())
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert set(results) == {200, "refused"}, set(results)
    server.retire_predecessors()
    await_listeners(server.current, 1)


@pytest.mark.parametrize("start_as", [lambda start: start(), without_net_admin], ids=["", "without"])
@pytest.mark.parametrize("probation", [0, 2])
def test_a_listener_that_comes_back_at_once_is_inherited(
    demo, releases, tmp_path, probation, start_as
):
    path = str(tmp_path / "other.sock")
    server = start_as(
        lambda: demo(
            "--probation", probation,
            listen=["127.0.0.1:0", "127.0.0.1:0", f"unix:{path}"],
            program=releases.current,
        )
    )
    server.address, other = addresses_of(server.current)[:2]
    both = [f"127.0.0.1:{port_of(server.address)}", f"127.0.0.1:{port_of(other)}", f"unix:{path}"]
    for generation in range(2, 8):
        if generation % 2:
            release(releases, server, *both, probation=probation)
        else:
            release(releases, server, both[0], probation=probation)
        server.restart()
        if generation % 2:
            for address in (other, (socket.AF_UNIX, path)):
                with Client(address) as client:
                    assert client.get("/test", ["Connection: close"]).status == 200


def test_a_group_shrinks_and_grows_under_load(household, demo, releases):
    with open("/proc/sys/net/ipv4/tcp_migrate_req", encoding="ascii") as file:
        if file.read().strip() != "0":
            pytest.skip("net.ipv4.tcp_migrate_req is on: the kernel would hide what is lost")
    server = demo("--threads", 2, listen=[reuseport(0, 4)], program=releases.current)
    port = port_of(server.address)
    assert listeners_of(server.current) == 4
    load = Load(household, server, "new:clients=32")
    with load:
        for generation, number in enumerate((2, 8, 3, 1, 4, 2), 2):
            release(releases, server, reuseport(port, number))
            server.restart()
            load.wait_generation(generation)
            server.retire_predecessors()
            await_listeners(server.current, number)
    assert load.report().failed == {}, load.report()


def test_a_member_for_each_loop(demo):
    server = demo("--threads", 3, listen=["tcp://127.0.0.1:0?reuseport=loops"])
    assert listeners_of(server.current) == 3
    server.restart()
    assert {generations_of(one)[0] for one in connected(server.address, 32)} == {2}
    server.retire_predecessors()
    await_listeners(server.current, 3)


def test_a_group_that_shrinks_waits_for_those_who_are_on_the_way(demo, releases):
    """With deferred accept a connection is in no queue before its client has said something."""
    server = demo(listen=[reuseport(0, 4, "&defer_accept=5")], program=releases.current)
    port = port_of(server.address)
    release(releases, server, reuseport(port, 2, "&defer_accept=5"))
    with queued(server.address, 100, request=None) as clients:
        server.restart()
        for client in clients:
            client.sendall(REQUEST)
        answers = generations_of(clients)
        assert len(answers) == 100 and set(answers) <= {1, 2}, "whom the old one has accepted may have moved"
    server.retire_predecessors()
    await_listeners(server.current, 2)


def test_a_plain_listener_becomes_a_group_and_again_a_plain_one(household, demo, releases):
    server = demo(program=releases.current)
    port = port_of(server.address)
    load = Load(household, server, "new:clients=16")
    with load:
        release(releases, server, reuseport(port, 4))
        server.restart()
        load.wait_generation(2)
        release(releases, server, f"127.0.0.1:{port}")
        server.restart()
        load.wait_generation(3)
        server.retire_predecessors()
        await_listeners(server.current, 1)
    assert load.report().failed == {}, load.report()


def test_a_group_that_a_failing_release_would_have_grown_is_as_it_was(household, demo, releases):
    server = demo(listen=[reuseport(0, 2)], program=releases.current)
    port = port_of(server.address)
    load = Load(household, server, "new:clients=16")
    with load:
        # It binds its members, and then finds its second address taken.
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            bad = taken.getsockname()[1]
            release(releases, server, reuseport(port, 8), f"127.0.0.1:{bad}")
            server.current.signal(signal.SIGUSR2)
            server.log.wait_for(re.compile(r"rolled back"))
        release(releases, server, reuseport(port, 2))
        server.restart()
        load.wait_generation(2)
    assert load.report().failed == {}, load.report()


def test_a_group_is_whole_again_when_the_new_generation_dies_in_its_probation(
    household, demo, releases
):
    server = demo("--probation", 20, listen=[reuseport(0, 4)], program=releases.current)
    port = port_of(server.address)
    release(releases, server, reuseport(port, 2))
    old = server.current
    new = server.restart()
    server.log.wait_for(re.compile(r"restart: probation"))
    assert {generations_of(one)[0] for one in connected(server.address, 64)} == {2}
    new.kill()
    server.log.wait_for(re.compile(r"rolled back"))
    server.processes.pop(2).close()
    server.generation = 1
    load = Load(household, server, "new:clients=16")
    with load:
        load.wait_generation(1)
        assert {generations_of(one)[0] for one in connected(server.address, 64)} == {1}
    assert load.report().failed == {}, load.report()
    assert listeners_of(old) == 4


def connected(address, number):
    """One client after the other, as a list of one, its request sent."""
    for _ in range(number):
        with queued(address, 1) as clients:
            yield clients


def backlog_of(process, row):
    """tcpi_sacked of a listening socket."""
    with socket.socket(fileno=process.borrow(row.number)) as copy:
        return int.from_bytes(copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[28:32],
                              "little")


def test_a_release_that_spoils_the_listener_before_it_fails_harms_nothing(demo, releases):
    server = demo(listen=["tcp://127.0.0.1:0?backlog=99&defer_accept=1"], program=releases.current)
    releases.python(
        "release-2",
        """
        import fcntl, os, socket
        listener = socket.socket(fileno=3)
        flags = fcntl.fcntl(3, fcntl.F_GETFL)
        fcntl.fcntl(3, fcntl.F_SETFL, flags & ~os.O_NONBLOCK)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 0)
        listener.listen(1)
        os._exit(7)
        """,
    )
    releases.switch("release-2")
    server.current.signal(signal.SIGUSR2)
    server.log.wait_for(re.compile(r"rolled back"))
    for row in server.current.listeners():
        assert server.current.flags(row.number) & os.O_NONBLOCK
        assert backlog_of(server.current, row) == 99
        with socket.socket(fileno=server.current.borrow(row.number)) as copy:
            assert copy.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 0
            assert copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT) > 0
    old = server.current
    old.freeze()
    try:
        with queued(server.address, 50) as clients:
            old.thaw()
            assert set(generations_of(clients)) == {1}
    finally:
        old.thaw()


def test_changed_settings_are_those_of_the_release_that_serves(demo, releases):
    server = demo(
        listen=["tcp://127.0.0.1:0?backlog=99&defer_accept=5"], program=releases.current
    )
    port = port_of(server.address)
    release(releases, server, f"tcp://127.0.0.1:{port}?backlog=55&fastopen=3")
    server.restart()
    row = server.current.listeners()[0]
    wait_until(lambda: backlog_of(server.current, row) == 55, "the backlog of the new release")
    with socket.socket(fileno=server.current.borrow(row.number)) as copy:
        assert copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN) == 3
        assert copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT) == 0


def test_a_path_has_the_mode_of_the_release_that_serves(demo, releases, tmp_path):
    path = str(tmp_path / "x.sock")
    server = demo(
        listen=[f"unix:{path}?mode=0600"],
        program=releases.current,
        address=(socket.AF_UNIX, path),
    )
    assert os.stat(path).st_mode & 0o777 == 0o600
    inode = os.stat(path).st_ino
    release(releases, server, f"unix:{path}?mode=0666")
    server.restart()
    wait_until(lambda: os.stat(path).st_mode & 0o777 == 0o666, "the mode of the new release")
    assert os.stat(path).st_ino == inode


@pytest.mark.parametrize("by_hand", ["removed", "moved"])
def test_a_path_that_is_gone_by_hand_is_back_with_the_next_generation(demo, tmp_path, by_hand):
    path = str(tmp_path / "x.sock")
    server = demo(listen=["127.0.0.1:0", f"unix:{path}"])
    if by_hand == "removed":
        os.unlink(path)
    else:
        os.rename(path, path + ".away")
    offset = server.log.size()
    server.restart()
    with Client((socket.AF_UNIX, path)) as client:
        assert client.get("/generation", ["Connection: close"]).generation == 2
    server.log.wait_for(re.compile(rf"serving on unix:{re.escape(path)} \(generation 2\)"), offset)
    assert "hotstart-new" not in server.log.text()
    server.retire_predecessors()
    await_listeners(server.current, 2)


class Answerer:
    """tests/answer: listeners of every kind on libhotstart alone."""

    def __init__(self, household, *listen, program=ANSWER):
        self.log = household.log("answer.log")
        self.process = household.start([program, *listen], self.log)
        wait_until(
            lambda: len(addresses_of(self.process)) == len(listen),
            lambda: f"it listens\n{self.log.text()}",
        )
        self.addresses = addresses_of(self.process)

    def restart(self, ask):
        """SIGUSR2; wait until another generation answers. Returns its number."""
        before = ask()[0]
        self.process.signal(signal.SIGUSR2)
        found = wait_until(lambda: (now := ask())[0] > before and now, "the next generation")
        self.process = Process(found[1])
        return found[0]


def parse(line):
    generation, pid, _ = line.split()
    return int(generation), int(pid)


def ask_datagram(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(Deadline().left())
        client.connect(address)
        while True:
            try:
                client.send(b"?")
                return parse(client.recv(512))
            except ConnectionRefusedError:
                select.select([], [], [], 0.005)  # not bound yet


def ask_stream(family, address):
    def asked():
        with socket.socket(family) as client:
            client.settimeout(Deadline().left())
            try:
                client.connect(address)
            except (ConnectionRefusedError, FileNotFoundError):
                return None
            return parse(read_all(client))

    return wait_until(asked, f"{address} answers")


NAME = f"hotstart-answer-{os.getpid()}"
KINDS = {
    "path": "unix:/PATH/x.sock",
    "abstract": f"unix:@{NAME}",
    "udp": "udp://127.0.0.1:0",
    "udp-group": "udp://127.0.0.1:0?reuseport=4",
    "ipv6-only": "tcp://:0?v6only=1",
    "device": "tcp://:0?device=lo",
    "tcp-group": "tcp://127.0.0.1:0?reuseport=3",
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_through_five_restarts(household, tmp_path, kind):
    path = str(tmp_path / "x.sock")
    server = Answerer(household, "one=" + KINDS[kind].replace("/PATH/x.sock", path))
    family, name = server.addresses[0]
    if kind == "path":
        name = path

    def ask():
        return ask_datagram(name) if kind.startswith("udp") else ask_stream(family, name)

    assert ask()[0] == 1
    for generation in range(2, 7):
        assert server.restart(ask) == generation
        assert len(addresses_of(server.process)) == 1
    server.process.signal(signal.SIGTERM)
    server.process.wait_exit()
    assert not os.path.exists(path)


def test_datagrams_of_a_listener_that_goes_are_answered(household, releases):
    releases.install("answer", ANSWER)
    releases.switch("answer")
    server = Answerer(
        household, "kept=udp://127.0.0.1:0", "gone=udp://127.0.0.1:0", program=releases.current
    )
    (_, kept), (_, gone) = server.addresses
    first = server.process
    assert ask_datagram(gone) == (1, first.pid)
    assert ask_datagram(kept) == (1, first.pid)
    releases.shell("answer-2", f'exec "{releases.path("answer")}" kept=udp://127.0.0.1:{kept[1]}')
    releases.switch("answer-2")
    first.freeze()
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(100):
            client = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            client.settimeout(Deadline().left())
            client.connect(gone)
            client.send(b"?")
            clients.append(client)
        first.signal(signal.SIGUSR2)
        first.thaw()
        for client in clients:
            assert parse(client.recv(512)) == (1, first.pid)
    wait_until(lambda: ask_datagram(kept)[0] == 2, "the next generation")
    assert first.wait_exit() == 0
    heir = Process(ask_datagram(kept)[1])
    heir.signal(signal.SIGTERM)
    heir.wait_exit()
    heir.close()
