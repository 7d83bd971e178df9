# SPDX-License-Identifier: MIT
"""Asks a demo without pause through httpx: HTTP/1.1 and HTTP/2, with and without TLS.

asker.py PLAIN TLS CERTIFICATE. Prints a line for each lane's first answer of each generation, as JSON; at the
end of its input each lane asks once more, then a last line tells what all have seen.

httpx sends nothing twice by itself: a request that got no answer is a failure here. One exception: its HTTP/2
gives up what it waits for as soon as a server says GOAWAY, however politely (h2 takes the connection for closed, and
what still comes for a protocol error), and is of no use after that. It is asked again, of a new client; such
requests are counted.
"""

import hashlib
import json
import re
import ssl
import sys
import threading

import httpx

PLAIN, TLS, CERTIFICATE = sys.argv[1:]
BLOB = bytes(ord("A") + i % 23 for i in range(20000))
DIGEST = f"{len(BLOB)} {hashlib.sha256(BLOB).hexdigest()}\n".encode()
DISMISSED = "ConnectionTerminated error_code:0|in state ConnectionState.CLOSED"
STOP = threading.Event()
PRINTING = threading.Lock()


def say(what):
    with PRINTING:
        print(json.dumps(what), flush=True)


class Lane:
    def __init__(self, url, version):
        self.url, self.version = url, version
        self.name = f"{url.split(':')[0]} {version}"
        self.answers, self.dismissed, self.generations, self.failures = 0, 0, {}, []

    def ask(self, client):
        for method, path, sent, expected in (("GET", "/test", None, b"test 22222"),
                                             ("GET", "/blob?bytes=20000", None, BLOB),
                                             ("POST", "/echo", BLOB, DIGEST)):
            answer = client.request(method, self.url + path, content=sent)
            assert answer.status_code == 200 and answer.content == expected, (path, answer)
            assert answer.http_version == self.version, answer.http_version
            self.note(answer.headers["X-Generation"])

    def note(self, generation):
        self.answers += 1
        self.generations[generation] = self.generations.get(generation, 0) + 1
        if self.generations[generation] == 1:
            say({"lane": self.name, "generation": int(generation)})

    def client(self):
        trust = ssl.create_default_context(cafile=CERTIFICATE)
        two = self.version == "HTTP/2"
        return httpx.Client(http1=not two, http2=two, verify=trust, timeout=60, trust_env=False)

    def converse(self):
        with self.client() as client:
            last = False
            while not last:
                last = STOP.is_set()
                self.ask(client)

    def run(self):
        over = False
        while not over:
            over = True
            try:
                self.converse()
            except Exception as error:  # whatever it is, it belongs into the summary
                if self.version == "HTTP/2" and re.search(DISMISSED, str(error)):
                    self.dismissed += 1
                    over = False
                else:
                    self.failures.append(repr(error))
                    say({"lane": self.name, "failure": repr(error)})


lanes = [Lane(url, version) for url in (PLAIN, TLS) for version in ("HTTP/1.1", "HTTP/2")]
threads = [threading.Thread(target=lane.run) for lane in lanes]
for thread in threads:
    thread.start()
sys.stdin.read()
STOP.set()
for thread in threads:
    thread.join()
say({"summary": {lane.name: {"answers": lane.answers, "generations": lane.generations,
                             "failures": lane.failures, "dismissed": lane.dismissed} for lane in lanes}})
