# SPDX-License-Identifier: MIT
"""Chromium without a window, told what to do over its DevTools pipe: descriptors 3 and 4, messages that end
in a NUL."""

import base64
import hashlib
import json
import os
import ssl
import subprocess
import sys

# The pipe has fixed numbers, which are not free in the process that starts it.
EXEC = "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execvp(sys.argv[3], sys.argv[3:])"


def public_key_hash(certificate):
    """Of a certificate in a PEM file, as --ignore-certificate-errors-spki-list wants it."""
    key = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-pubkey"], check=True,
                         capture_output=True, text=True).stdout
    der = ssl.PEM_cert_to_DER_cert(key.replace("PUBLIC KEY", "CERTIFICATE"))
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


class Browser:
    """One Chromium that trusts one certificate, if any. What goes wrong in a page is kept in `errors`."""

    def __init__(self, program, directory, certificate=None):
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        argv = [sys.executable, "-c", EXEC, str(theirs_in), str(theirs_out), program, "--headless",
                "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe",
                "--disable-background-networking", "--no-first-run", "--host-resolver-rules=MAP localhost 127.0.0.1",
                f"--user-data-dir={directory}/profile"]
        if certificate:
            argv.append(f"--ignore-certificate-errors-spki-list={public_key_hash(certificate)}")
        argv.append("about:blank")
        self.process = subprocess.Popen(
            argv, pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env={**os.environ, "HOME": directory})
        os.close(theirs_in)
        os.close(theirs_out)
        self.input, self.output = os.fdopen(ours_in, "rb"), os.fdopen(ours_out, "wb")
        self.number, self.pending, self.buffer, self.errors = 0, {}, b"", []

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.process.kill()
        else:
            self.send("Browser.close")
        self.output.close()
        self.input.close()
        self.process.wait()

    def send(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self.output.write(json.dumps(message).encode() + b"\0")
        self.output.flush()
        return self.number

    def receive(self):
        while b"\0" not in self.buffer:
            piece = os.read(self.input.fileno(), 65536)
            assert piece, "the browser has ended"
            self.buffer += piece
        text, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(text)
        if "id" in message:
            self.pending[message["id"]] = message
        self.note(message)
        return message

    def note(self, message):
        what, about = message.get("method"), message.get("params")
        wrong = (what == "Runtime.exceptionThrown" or
                 what == "Runtime.consoleAPICalled" and about["type"] in ("error", "warning", "assert") or
                 what == "Log.entryAdded" and about["entry"]["level"] == "error")
        if wrong:
            self.errors.append(json.dumps(about))

    def result(self, number):
        while number not in self.pending:
            self.receive()
        answer = self.pending.pop(number)
        assert "error" not in answer, answer
        return answer["result"]

    def call(self, method, session=None, **parameters):
        return self.result(self.send(method, session, **parameters))

    def open(self, url):
        """A tab that has loaded this page."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Runtime", "Log", "Page"):
            self.call(f"{domain}.enable", session)
        went = self.call("Page.navigate", session, url=url)
        assert "errorText" not in went, went
        while True:
            message = self.receive()
            if message.get("method") == "Page.loadEventFired" and message["sessionId"] == session:
                return session

    def begin(self, session, script):
        """Evaluate a script, whose promise is waited for by end()."""
        return self.send("Runtime.evaluate", session, expression=script, awaitPromise=True, returnByValue=True)

    def end(self, number):
        done = self.result(number)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def run(self, session, script):
        return self.end(self.begin(session, script))
