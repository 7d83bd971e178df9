# SPDX-License-Identifier: MIT
"""Real traffic through many restarts: nothing is lost, and every restart happened."""

import pytest

from load import Load

SLACK_NS = 50_000_000


def stale_records(records, report):
    """Answered by an older generation though connect() began 50 ms after a newer one's first
    answer."""
    return [
        record
        for record in records
        if record.generation
        and any(
            record.connect > first + SLACK_NS
            for generation, first in report.first.items()
            if generation > record.generation
        )
    ]


@pytest.mark.slow
def test_hundred_restarts_lose_no_new_connection(household, demo):
    server = demo()
    load = Load(household, server, "new:clients=32")
    with load:
        for generation in range(2, 102):
            server.restart()
            load.wait_generation(generation)
    report = load.report()
    records = load.records()
    assert report.failed == {}, report
    assert set(report.answers) == set(range(1, 102))
    assert len(report.summary["generations"]) == 101
    assert report.summary["stale"] == 0
    assert stale_records(records, report) == []
    assert {record.outcome for record in records} == {"ok"}
    assert len(records) == report.summary["requests"]["ok"] >= 32 * 2
    server.retire_predecessors()


@pytest.mark.slow
def test_twenty_restarts_cut_no_slow_request_upload_or_download(household, demo):
    server = demo("--hello-delay", "0.5")
    load = Load(
        household,
        server,
        "slow:clients=6,expect=hello world233333!!!!",
        "upload:clients=6,bytes=65536,piece=4096,every=30",
        "download:clients=6,bytes=4194304,piece=131072,every=15",
    )
    with load:
        for generation in range(2, 22):
            server.restart()
            load.wait_generation(generation)
            # What the old one still had has ended then, and its clients are at work under this one.
            server.retire_predecessors()
    report = load.report()
    assert report.failed == {}, report
    assert set(report.answers) == set(range(1, 22))
    for name in ("slow", "upload", "download"):
        assert report.profiles[name]["overlapped"] >= 20, report
    assert stale_records(load.records(), report) == []


@pytest.mark.slow
def test_keep_alive_clients_lose_no_request(household, demo):
    server = demo()
    load = Load(
        household, server, "busy:clients=8", "think:clients=32,think=0-50", "pipelined:clients=4"
    )
    with load:
        for generation in range(2, 22):
            server.restart()
            load.wait_generation(generation)
    report = load.report()
    assert report.failed == {}, report
    assert set(report.answers) == set(range(1, 22))
    assert stale_records(load.records(), report) == []
