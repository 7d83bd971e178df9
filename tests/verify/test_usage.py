# SPDX-License-Identifier: MIT
"""A wrong use is one line and status 2; what cannot run is one line and status 3."""
import socket

import pytest

from verify import MISRESTART, run

PROGRAM = ("--", MISRESTART, "good")


@pytest.mark.parametrize("arguments", [
    (),
    ("--restarts", "0", *PROGRAM),
    ("--restarts", "x", *PROGRAM),
    ("--every", "-1", *PROGRAM),
    ("--every", "nan", *PROGRAM),
    ("--get", "no-slash", *PROGRAM),
    ("--get", "/a b", *PROGRAM),
    ("--fault", "no-such-fault", *PROGRAM),
    ("--fault", "crash-after", *PROGRAM),
    ("--fault", "hang=3", *PROGRAM),
    ("--identify", "face", *PROGRAM),
    ("--profile", "no-such-profile", *PROGRAM),
    ("--profile", "new:clients=x", *PROGRAM),
    ("--pid", "1", *PROGRAM),
    ("--url", "http://127.0.0.1:1"),
    ("--url", "http://127.0.0.1:1", "--pid", "1", "--fault", "hang"),
    ("--no-such-option",),
    ("--restarts",),
])
def test_wrong_use(arguments):
    result = run("verify", *arguments)
    assert result.status == 2, result
    assert result.out == ""
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("arguments", [
    ("--", "/no/such/program"),
    ("--", "true"),
    ("--", "sh", "-c", "echo this is why >&2; exit 1"),
    ("--url", "http://no-such-host.invalid", "--restart-cmd", "true"),
])
def test_cannot_run(arguments):
    result = run("verify", *arguments)
    assert result.status == 3, result
    assert result.out == ""
    assert len(result.err.splitlines()) == 1


def test_the_programs_last_words_are_told():
    assert "this is why" in run("verify", "--", "sh", "-c", "echo this is why >&2; exit 1").err


def test_nobody_there():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        result = run("verify", "--url", f"http://127.0.0.1:{unused.getsockname()[1]}", "--restart-cmd", "true")
    assert result.status == 3, result
    assert "refused" in result.err


def test_reports_that_cannot_be_written_are_told(tmp_path):
    result = run("verify", "--restarts", 1, "--every", 0.2, "--profile", "new:clients=1", "--report",
                 tmp_path / "no/such/folder.html", *PROGRAM)
    assert result.status == 3, result
    assert "folder.html" in result.err
