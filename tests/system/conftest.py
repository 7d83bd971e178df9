# SPDX-License-Identifier: MIT
"""Fixtures of the system tests: real processes, real sockets, real signals."""

import os
import shutil
import signal
import tempfile

import pytest

import process
from releases import Releases
from server import Household
from tls import Pair, both_addresses


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than a few seconds")
    process.become_subreaper()
    process.occupy_low_numbers()
    # What a developer's shell blocks or ignores is no part of a test.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    # Nor are his own servers, which have their control sockets elsewhere.
    os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="hotstart-tests-")


def pytest_unconfigure(config):
    shutil.rmtree(os.environ["XDG_RUNTIME_DIR"])


@pytest.hookimpl(tryfirst=True, hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    setattr(item, f"report_{call.when}", outcome.get_result())


@pytest.fixture
def household(request, tmp_path):
    """Starts programs; at the end of the test none of them may be left."""
    house = Household(str(tmp_path))
    yield house
    report = getattr(request.node, "report_call", None)
    if report is None or report.failed:
        for server in house.servers:
            print(f"--- {server.log.path}\n{server.log.text()}")
        house.abandon()
    else:
        house.close()


@pytest.fixture
def demo(household):
    """Start build/demo: demo("--drain", 5, listen=[…])."""
    return household.demo


@pytest.fixture
def releases(tmp_path):
    """Releases side by side and `current`, which points to the first."""
    found = Releases(str(tmp_path))
    found.install("release-1")
    found.switch("release-1")
    return found


@pytest.fixture
def sigterm_blocked():
    """This process is the parent that is told to go: it takes the signal instead."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    yield
    while signal.SIGTERM in signal.sigpending():
        signal.sigwait([signal.SIGTERM])
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


@pytest.fixture(scope="session")
def pairs(tmp_path_factory):
    directory = str(tmp_path_factory.mktemp("certificates"))
    return {name: Pair(directory, name) for name in ("one.test", "two.test", "client.test")} | {
        "rsa": Pair(directory, "one.test", "rsa")}


@pytest.fixture
def secure(demo, pairs):
    """Start build/demo with TLS at one address and without at another."""

    def start(*options, certificates=("one.test",), **kwargs):
        files = [word for name in certificates for word in pairs[name].options]
        server = demo(*files, "--listen-plain", "tcp://127.0.0.1:0", *options, ready=False, **kwargs)
        server.tls = both_addresses(server)
        return server

    return start
