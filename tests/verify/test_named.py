# SPDX-License-Identifier: MIT
"""What a server does wrong is named, and nothing else is: one server for each fault; as many
runs in a row as HOT_RUNS says, three where there is time.

The runs of different servers go side by side: few clients, so that they do not starve each other.
"""
import concurrent.futures
import os

import pytest

from verify import MISRESTART, exists, verify

RUNS = int(os.environ.get("HOT_RUNS", "1"))
# Enough to meet the fault, and little enough to leave the machine to the others.
TRAFFIC = "new:clients=6,think=2-20,think:clients=12,pipelined:clients=2,think=1-20"
BUSY = "busy:clients=4,think:clients=12,pipelined:clients=2"
EXPECTED = {
    # mode: (classes of failed requests, classes of findings, exit status)
    "good": (set(), set(), 0),
    "refuse": ({"refused"}, {"refused"}, 1),
    "reset": ({"keepalive_race"}, {"keepalive_race"}, 1),
    "truncate": ({"cut"}, {"cut"}, 1),
    "both": (set(), {"both_generations"}, 1),
    "leak": (set(), {"leak"}, 1),
    "zombie": (set(), {"zombie"}, 1),
    "reuseport": ({"reset"}, {"queue_lost"}, 1),
    "wrong": ({"wrong_bytes"}, {"wrong_bytes"}, 1),
    # The same connections, answered by one generation after the other: nothing is wrong with that.
    "hand": (set(), set(), 0),
}


def run(mode):
    traffic = BUSY if mode == "reset" else TRAFFIC
    return [verify("--restarts", 3, "--every", 0.3, "--profile", traffic, "--", MISRESTART, mode)
            for _ in range(RUNS)]


@pytest.fixture(scope="module")
def results():
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        runs = {mode: pool.submit(run, mode) for mode in EXPECTED}
        for mode in ("deaf", "quit"):
            runs[mode] = pool.submit(lambda mode=mode: [verify(
                "--restarts", 1, "--every", 0.3, "--profile", "new:clients=1,think=1-5", "--", MISRESTART, mode)])
        return {mode: future.result() for mode, future in runs.items()}


@pytest.mark.parametrize("mode", EXPECTED)
def test_each_fault_is_named_and_no_other(results, mode):
    failed, classes, status = EXPECTED[mode]
    for result in results[mode]:
        assert result.json, result
        assert set(result.failed()) == failed, result
        assert result.classes() == classes, result
        assert result.status == status, result
        assert result.json["restarts"] == 3
        assert len(result.json["generations"]) == 4, result


def test_the_explanation_says_which_descriptor(results):
    text = results["leak"][0].finding("leak")["text"]
    assert "is a second copy of listener 3: it was never closed" in text


def test_the_explanation_says_why(results):
    assert "SO_REUSEPORT" in results["reuseport"][0].finding("queue_lost")["text"]
    assert "took for idle" in results["reset"][0].finding("keepalive_race")["text"]
    assert results["refuse"][0].finding("refused")["mend"]


def test_idle_connections_that_are_reset_are_told_from_those_that_are_closed(results):
    assert results["reset"][0].json["reconnects"]["reset"] > 0
    assert results["reset"][0].json["reconnects"]["idle"] == 0


def test_nothing_is_left_running(results):
    for mode in EXPECTED:
        for result in results[mode]:
            for generation in result.json["generations"]:
                assert not any(exists(pid) for pid in generation["pids"]), (mode, result)


def test_a_connection_that_moves_forces_nobody_to_reconnect(results):
    for result in results["hand"]:
        assert sum(result.json["reconnects"].values()) == 0, result
        think, = (p for p in result.json["profiles"] if p["name"] == "think")
        assert think["requests"]["ok"] > 12 * len(result.json["generations"]), result


def test_strict_counts_forced_reconnects():
    result = verify("--strict", "--restarts", 1, "--every", 0.3, "--profile", "think:clients=4", "--",
                    MISRESTART, "good")
    assert result.status == 1, result
    assert result.json["reconnects"]["announced"] == 4
    assert result.failed() == {}


def test_a_restart_without_effect_is_not_clean(results):
    result, = results["deaf"]
    assert result.status == 1, result
    assert result.classes() == {"no_effect"}


def test_a_server_that_is_gone_is_told_as_such(results):
    result, = results["quit"]
    assert result.status == 1, result
    assert "down" in result.classes(), result
    assert result.failed()["refused"] > 0
