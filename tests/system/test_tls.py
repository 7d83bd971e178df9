# SPDX-License-Identifier: MIT
"""TLS: versions, ciphers, certificates, and what restarts do to connections, handshakes and sessions."""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess

import pytest

from server import BUILD, Client, bound_address
from tls import Pair, TlsClient, TlsLoad, both_addresses, trusting
from waiting import wait_until

TLSD = os.path.join(BUILD, "tests", "tlsd")
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.fixture
def tlsd(household, pairs):
    """Start tests/tlsd; asked by connect()."""

    def start(*options, pair=None):
        pair = pair or pairs["one.test"]
        log = household.log("tlsd.log")
        process = household.start([TLSD, *options, "127.0.0.1:0", pair.crt, pair.key], log)
        wait_until(process.listeners, "it listens", None, [log.watch, process])
        process.tls = bound_address(process, process.listeners()[0])
        process.log = log
        return process

    yield start
    for process in household.processes:
        if not process.has_exited():
            process.signal(signal.SIGTERM)
            process.wait_exit()


def s_client(address, *options, text=""):
    host, port = address[1][:2]
    done = subprocess.run(["openssl", "s_client", "-connect", f"{host}:{port}", *options],
                          input=text, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


@pytest.mark.parametrize("version, name", [(V12, "TLSv1.2"), (V13, "TLSv1.3")])
def test_both_versions_carry_requests_and_large_bodies(secure, pairs, version, name):
    server = secure()
    body = os.urandom(3000000)
    with TlsClient(server.tls, trusting(pairs["one.test"], version=version), "one.test") as client:
        assert client.socket.version() == name
        assert client.get("/test").body == b"test 22222"
        client.request("/echo", "POST", body)
        assert client.answer().body.split()[0] == b"3000000"
        blob = client.get("/blob?bytes=5000000").body
    assert len(blob) == 5000000 and blob[:24] == b"ABCDEFGHIJKLMNOPQRSTUVWA"


@pytest.mark.parametrize("options, offer, accepted", [
    ((), ("-tls1_3",), True),
    ((), ("-tls1_2",), True),
    ((), ("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), False),
    ((), ("-tls1", "-cipher", "ALL:@SECLEVEL=0"), False),
    (("--tls-min", "1.3"), ("-tls1_2",), False),
    (("--tls-min", "1.3"), ("-tls1_3",), True),
    ((), ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"), True),
    ((), ("-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"), True),
    ((), ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"), False),
    ((), ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA384"), False),
    ((), ("-tls1_2", "-cipher", "AES128-GCM-SHA256"), False),
    ((), ("-tls1_2", "-cipher", "eNULL:@SECLEVEL=0"), False),
    ((), ("-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"), False),
])
def test_versions_and_ciphers(secure, options, offer, accepted):
    text = s_client(secure(*options).tls, *offer)
    assert ("Cipher is (NONE)" not in text and "Cipher is " in text) == accepted, text


def raw_hello(version, ciphers):
    """A ClientHello of before TLS 1.3, with what OpenSSL's own client has unlearnt to offer."""
    def block(data, size):
        return len(data).to_bytes(size, "big") + data

    def words(*numbers):
        return b"".join(number.to_bytes(2, "big") for number in numbers)

    extensions = words(10) + block(block(words(29, 23, 24), 2), 2)  # groups
    extensions += words(11) + block(block(b"\0", 1), 2)  # uncompressed points
    extensions += words(13) + block(block(words(0x0403, 0x0804, 0x0401, 0x0203, 0x0201), 2), 2)  # signatures
    body = words(version) + os.urandom(32) + block(b"", 1) + block(words(*ciphers), 2) + block(b"\0", 1)
    body += block(extensions, 2)
    return b"\x16\x03\x01" + block(b"\1" + block(body, 3), 2)


GOOD = (0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8)
HANDSHAKE_FAILURE, PROTOCOL_VERSION = 40, 70


@pytest.mark.parametrize("version, ciphers, alert", [
    (0x0303, GOOD, None),
    (0x0302, GOOD, PROTOCOL_VERSION),
    (0x0301, GOOD, PROTOCOL_VERSION),
    (0x0300, GOOD, HANDSHAKE_FAILURE),  # by OpenSSL's choice of words
    (0x0303, (0x0000, 0x0001, 0x0002, 0x003B, 0xC006, 0xC010), HANDSHAKE_FAILURE),
    (0x0303, (0x0003, 0x0006, 0x0008, 0x0011, 0x0014, 0x0017, 0x0019), HANDSHAKE_FAILURE),
    (0x0303, (0x0004, 0x0005, 0xC007, 0xC011), HANDSHAKE_FAILURE),
    (0x0303, (0x0009, 0x000A, 0x0015, 0x0016, 0xC008, 0xC012), HANDSHAKE_FAILURE),
    (0x0303, (0x0018, 0x0034, 0x003A, 0x006C, 0x00A6, 0xC018, 0xC019), HANDSHAKE_FAILURE),
    (0x0303, (0x002F, 0x0035, 0x003C, 0x003D, 0x009C, 0x009D), HANDSHAKE_FAILURE),
    (0x0303, (0xC009, 0xC00A, 0xC013, 0xC014, 0xC023, 0xC024, 0xC027, 0xC028), HANDSHAKE_FAILURE),
], ids=["good", "TLS 1.1", "TLS 1.0", "SSL 3", "no encryption", "export", "RC4", "DES and 3DES", "anonymous",
        "no forward secrecy", "CBC"])
def test_what_is_weak_is_refused_even_if_nothing_else_is_offered(secure, version, ciphers, alert):
    server = secure(certificates=("one.test", "rsa"))
    with Client(server.tls) as client:
        client.send(raw_hello(version, ciphers))
        answer = client.socket.recv(7, socket.MSG_WAITALL)
    if alert is None:
        assert answer[0] == 0x16 and answer[5] == 2, "a ServerHello"
    else:
        assert answer[0] == 0x15 and answer[5] == 2 and answer[6] == alert, answer.hex()


def test_there_is_no_renegotiation_and_no_compression(secure):
    server = secure()
    text = s_client(server.tls, "-tls1_2", text="R\n")
    assert "Compression: NONE" in text
    assert "no renegotiation" in text or "handshake failure" in text, text


def test_the_name_chooses_the_certificate(secure, pairs):
    server = secure(certificates=("one.test", "two.test"))
    for name in ("one.test", "two.test"):
        with TlsClient(server.tls, trusting(pairs[name]), name) as client:
            assert client.get("/test").status == 200
    context = trusting(pairs["one.test"])
    context.check_hostname = False
    with TlsClient(server.tls, context, "unknown.test") as client:
        assert client.get("/test").status == 200, "the first certificate is for all others"


def test_one_name_with_keys_of_two_kinds(secure):
    server = secure(certificates=("one.test", "rsa"))
    for kind, key in (("ECDSA", "id-ecPublicKey"), ("RSA", "rsaEncryption")):
        text = s_client(server.tls, "-tls1_2", "-servername", "one.test", "-cipher",
                        f"ECDHE-{kind}-AES128-GCM-SHA256")
        assert f"Cipher is ECDHE-{kind}" in text and key in text, text


def test_alpn(secure):
    server = secure("--http1")
    text = s_client(server.tls, "-alpn", "http/1.1")
    assert "ALPN protocol: http/1.1" in text
    text = s_client(server.tls, "-alpn", "smtp")
    assert "no application protocol" in text, text
    both = secure()
    for offer, chosen in (("h2,http/1.1", "h2"), ("http/1.1,h2", "h2"), ("http/1.1", "http/1.1")):
        assert f"ALPN protocol: {chosen}\n" in s_client(both.tls, "-alpn", offer), offer


def test_a_client_without_the_certificate_that_is_asked_for_is_refused(secure, pairs):
    server = secure("--client-ca", pairs["client.test"].crt)
    with TlsClient(server.tls, trusting(pairs["one.test"], client=pairs["client.test"]),
                   "one.test") as client:
        assert client.get("/test").status == 200
    for wrong in (None, pairs["two.test"]):
        with pytest.raises(OSError):
            with TlsClient(server.tls, trusting(pairs["one.test"], client=wrong),
                           "one.test") as client:
                client.get("/test")


def test_a_handler_learns_how_the_request_came(tlsd, pairs):
    server = tlsd("--optional", pairs["client.test"].crt)
    for client, subject in ((None, b"-"), (pairs["client.test"], b"CN=client.test")):
        context = trusting(pairs["one.test"], version=V13, client=client)
        with TlsClient(server.tls, context, "one.test") as connection:
            words = connection.get("/tls").body.split()
        assert words[0::2] == [b"TLSv1.3", b"one.test"] and words[3] == subject
        assert words[1].startswith(b"TLS_")


def test_the_hosts_own_context(tlsd, pairs):
    server = tlsd("--own")
    assert "Cipher is (NONE)" in s_client(server.tls, "-tls1_2")
    with TlsClient(server.tls, trusting(pairs["one.test"]), "one.test") as client:
        assert client.get("/tls").body.startswith(b"TLSv1.3 ")


def test_certificates_are_read_again(tlsd, pairs, tmp_path):
    pair = Pair(str(tmp_path), "one.test")
    before = trusting(pair)
    server = tlsd(pair=pair)
    with TlsClient(server.tls, before, "one.test") as old:
        assert old.get("/tls").status == 200
        shutil.copy(pairs["rsa"].crt, pair.crt)
        assert old.get("/reload").body == b"-22\n", "the key is another one's"
        with TlsClient(server.tls, before, "one.test") as client:
            assert client.get("/tls").status == 200
        shutil.copy(pairs["rsa"].key, pair.key)
        assert old.get("/reload").body == b"0\n"
        with pytest.raises(ssl.SSLCertVerificationError):
            TlsClient(server.tls, before, "one.test")
        with TlsClient(server.tls, trusting(pairs["rsa"]), "one.test") as client:
            assert client.get("/tls").status == 200
        assert old.get("/tls").status == 200, "what began with the old one goes on with it"


def test_a_restart_with_a_broken_certificate_is_rolled_back(demo, tmp_path):
    pair = Pair(str(tmp_path), "one.test")
    server = demo(*pair.options, "--listen-plain", "tcp://127.0.0.1:0", ready=False)
    address = both_addresses(server)
    context = trusting(pair)
    with open(pair.crt, "w", encoding="ascii") as file:
        file.write("no certificate\n")
    server.current.signal(signal.SIGUSR2)
    server.log.wait_for(re.compile("restart rolled back"))
    assert f"tls: {pair.crt}" in server.log.text()
    with TlsClient(address, context, "one.test") as client:
        assert client.get("/generation").generation == 1


def test_plain_http_at_the_tls_port_is_told_so(secure):
    server = secure()
    with Client(server.tls) as client:
        assert client.get("/test").status == 400
        assert client.socket.recv(1) == b""


@pytest.mark.parametrize("junk", [b"\x16\x03\x01\x00\x05junk!", b"\0" * 64, b"\x80\x2e\x01\x03\x01",
                                  os.urandom(4096), b"SSH-2.0-OpenSSH_9.2\r\n"])
def test_what_is_no_handshake_is_closed(secure, junk):
    server = secure()
    with Client(server.tls) as client:
        client.send(junk)
        client.socket.shutdown(socket.SHUT_WR)
        while client.socket.recv(4096):
            pass
    assert server.get("/test").status == 200


def test_a_handshake_that_does_not_go_on_is_closed(secure):
    server = secure("--head-timeout", 0.2)
    with Client(server.tls) as silent, Client(server.tls) as slow:
        slow.send(hello(trusting())[1][:40])
        assert silent.socket.recv(1) == b""
        assert slow.socket.recv(1) == b""


def hello(context):
    """The client's side of a handshake in memory, and the bytes it begins with."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    side = context.wrap_bio(incoming, outgoing, server_hostname="one.test")
    with pytest.raises(ssl.SSLWantReadError):
        side.do_handshake()
    return (side, incoming, outgoing), outgoing.read()


def complete(client, parts, operation):
    """Drive a session in memory over a connection until `operation` is done."""
    side, incoming, outgoing = parts
    while True:
        try:
            result = operation(side)
        except ssl.SSLWantReadError:
            result = None
        client.send(outgoing.read())
        if result is not None:
            return result
        data = client.socket.recv(65536)
        assert data, "closed in the middle"
        incoming.write(data)


@pytest.mark.parametrize("version", [V12, V13])
@pytest.mark.parametrize("sent", ["nothing", "half a hello", "a hello"])
def test_a_handshake_in_progress_at_a_restart_is_completed(secure, pairs, version, sent):
    server = secure()
    old = server.current
    parts, first = hello(trusting(pairs["one.test"], version=version))
    now = {"nothing": 0, "half a hello": len(first) // 2, "a hello": len(first)}[sent]
    with Client(server.tls) as client:
        client.send(first[:now])
        with TlsClient(server.tls, trusting(pairs["one.test"]), "one.test") as later:
            assert later.get("/test").pid == old.pid, "the one before it was accepted"
        server.restart()
        server.await_draining(old)
        client.send(first[now:])
        complete(client, parts, lambda side: side.do_handshake() or True)
        parts[0].write(b"GET /generation HTTP/1.1\r\nHost: localhost\r\n\r\n")
        text = complete(client, parts, lambda side: side.read(4096))
        assert b"200 OK" in text and b"Connection: close" in text
        assert f"X-Pid: {old.pid}\r\n".encode() in text
        assert complete(client, parts, ended) == "ended"
    assert old.wait_exit() == 0


def ended(side):
    """Has the peer said properly that it ends?"""
    assert side.read(1) == b"", "more than was announced"
    return "ended"


def test_an_idle_connection_is_told_at_its_next_response(secure, pairs):
    server = secure()
    old = server.current
    with TlsClient(server.tls, trusting(pairs["one.test"]), "one.test") as client:
        assert client.get("/test").pid == old.pid
        server.restart()
        server.await_draining(old)
        answer = client.get("/test")
        assert (answer.pid, answer.headers["Connection"]) == (old.pid, "close")
        assert client.socket.recv(1) == b""
    assert old.wait_exit() == 0


def test_a_stop_ends_what_is_idle_with_an_alert_and_finishes_what_is_not(secure, pairs):
    server = secure("--hello-delay", 0.5)
    context = trusting(pairs["one.test"])
    with TlsClient(server.tls, context, "one.test") as idle, \
            TlsClient(server.tls, context, "one.test") as busy:
        assert idle.get("/test").status == 200
        busy.request("/hello")
        wait_until(lambda: server.get("/test"), "another connection is served")
        server.current.signal(signal.SIGTERM)
        assert idle.socket.recv(1) == b""
        assert busy.answer().body == b"hello world233333!!!!"
        assert busy.socket.recv(1) == b""
    assert server.current.wait_exit() == 0


def test_a_slow_reader_gets_all_of_it(secure, pairs):
    server = secure("--threads", 1)
    with TlsClient(server.tls, trusting(pairs["one.test"]), "one.test") as client:
        client.request("/blob?bytes=20000000")
        for _ in range(20):
            with TlsClient(server.tls, trusting(pairs["one.test"]), "one.test") as other:
                assert other.get("/test").status == 200
        assert len(client.answer().body) == 20000000


def test_pipelined_requests_in_one_record(secure, pairs):
    server = secure()
    with TlsClient(server.tls, trusting(pairs["one.test"]), "one.test") as client:
        client.send(200 * "GET /test HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for _ in range(200):
            assert client.answer().body == b"test 22222"


@pytest.mark.parametrize("version", [V12, V13])
def test_a_ticket_is_good_for_the_next_generations(secure, pairs, version):
    server = secure()
    context = trusting(pairs["one.test"], version=version)

    def ask(session):
        with TlsClient(server.tls, context, "one.test", session=session) as client:
            generation = client.get("/test", ("Connection: close",)).generation
            return generation, client.socket.session_reused, client.socket.session

    generation, reused, session = ask(None)
    assert (generation, reused) == (1, False)
    for number in (2, 3, 4):
        server.restart()
        server.retire_predecessors()
        assert ask(session)[:2] == (number, True)


def test_a_ticket_of_strangers_or_of_long_ago_costs_a_handshake_and_nothing_else(tlsd, pairs):
    one, two = tlsd("--ticket", "1"), tlsd()
    context = trusting(pairs["one.test"], version=V12)
    with TlsClient(one.tls, context, "one.test") as client:
        client.get("/tls")
        session = client.socket.session
    with TlsClient(two.tls, context, "one.test", session=session) as client:
        assert client.get("/tls").status == 200
        assert not client.socket.session_reused


def test_restarts_under_tls_load_fail_no_request(secure, pairs):
    server = secure()
    with TlsLoad(server.tls, trusting(pairs["one.test"]), "one.test", 3, 2) as load:
        for generation in range(2, 12):
            server.restart()
            load.await_generation(generation)
    assert load.failures == []
    assert set(load.generations) == set(range(1, 12))
