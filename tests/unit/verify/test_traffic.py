# SPDX-License-Identifier: MIT
"""What the load program tells besides failures: who answered when, what overlapped, records, its end."""

import json
import signal
import subprocess

import pytest

from loadrun import LOAD, Load, Server, failed, records, run
from speakers import STALL, STALLED, Speaker, http1


def test_generations_are_counted_and_told_when_they_first_answer():
    with Server("alternate") as server, Load(server.target, "--profile", "new:requests=10") as load:
        first = load.wait_line("generation 1 ").split()
        second = load.wait_line("generation 2 ").split()
        summary = load.end()
    assert [(g["generation"], g["answers"]) for g in summary["generations"]] == [(1, 5), (2, 5)]
    pid = server.process.pid
    assert [g["pid"] for g in summary["generations"]] == [pid, pid + 1]
    assert first == ["generation", "1", "pid", str(pid), "time", str(summary["generations"][0]["first"])]
    assert int(second[5]) == summary["generations"][1]["first"]
    assert summary["began"] <= summary["generations"][0]["first"] <= int(second[5]) <= summary["ended"]


def test_an_old_generation_that_goes_on_accepting_is_stale():
    """Every connection of generation 1 but the first began after generation 2's first answer."""
    with Server("alternate") as server:
        summary = run(server.target, "--slack", "0", "--profile", "new:requests=10")
        assert summary["stale"] == 4
        assert failed(summary) == {}
        lenient = run(server.target, "--slack", "600000", "--profile", "new:requests=10")
        assert lenient["stale"] == 0


def test_a_kept_connection_to_the_old_generation_is_not_stale():
    with Server("alternate") as server:
        summary = run(server.target, "--slack", "0", "--profile", "busy:clients=2,requests=20")
    assert summary["stale"] == 0


@pytest.mark.parametrize("identify,expected", [("headers", []), ("pid", []), ("body", [(1, 1), (2, 9)])])
def test_a_server_without_headers_is_known_by_its_bodies(identify, expected):
    with Server("bare") as server:
        summary = run(server.target, "--identify", identify, "--profile", "busy:requests=10")
    assert [(g["generation"], g["answers"]) for g in summary["generations"]] == expected
    assert summary["requests"]["ok"] == 10


def test_pids_alone_tell_generations_apart():
    with Server("alternate") as server:
        summary = run(server.target, "--identify", "pid", "--profile", "new:requests=4")
    assert [(g["generation"], g["answers"]) for g in summary["generations"]] == [(1, 2), (2, 2)]


def test_a_request_that_outlives_its_generation_overlaps(tmp_path):
    """Its second slow request begins under generation 1, which answers it after generation 2 was there."""
    path = tmp_path / "records"
    with Server("successor") as server:
        with Load(server.target, "--profile", "busy", "--profile", "slow:requests=2", "--records",
                  str(path), "--until-eof") as load:
            server.wait_slow_request()
            server.line()
            server.wait_slow_request()
            server.line()
            load.wait_line("generation 2 ")
            server.line()
            summary = load.end()
    second = [row for row in records(path) if row["profile"] == "slow"][1]
    assert (second["under"], second["generation"], second["latest"]) == (1, 1, 2)
    assert second["outcome"] == "ok"
    assert summary["overlapped"] == sum(0 < row["under"] < row["latest"] for row in records(path))
    assert [profile["overlapped"] for profile in summary["profiles"] if profile["name"] == "slow"] == [1]


def test_records_agree_with_the_summary(tmp_path):
    path = tmp_path / "records"
    with Server("race") as server:
        summary = run(server.target, "--records", str(path), "--profile", "busy:clients=2,requests=6",
                      "--profile", "new:requests=3")
    rows = records(path)
    assert len(rows) == summary["requests"]["sent"]
    for profile in summary["profiles"]:
        own = [row for row in rows if row["profile"] == profile["name"]]
        assert sum(row["outcome"] == "ok" for row in own) == profile["requests"]["ok"]
        assert sum(row["bytes"] for row in own) == profile["bytes"]
        for name, count in profile["requests"]["failed"].items():
            assert sum(row["outcome"] == name for row in own) == count
        assert {row["client"] for row in own} == set(range(profile["clients"]))


def test_times_of_a_record_are_in_order(tmp_path):
    path = tmp_path / "records"
    with Server("good") as server:
        summary = run(server.target, "--records", str(path), "--profile", "busy:requests=5",
                      "--profile", "new:requests=5", "--profile", "upload:requests=2,every=1")
    rows = records(path)
    for row in rows:
        assert row["outcome"] == "ok" and row["generation"] == 1
        assert row["pid"] == server.process.pid and row["status"] == 200
        assert summary["began"] <= row["due"] <= row["sent"] <= row["first_byte"] <= row["end"]
        assert row["connect"] <= row["sent"] and row["end"] <= summary["ended"]
    busy = [row for row in rows if row["profile"] == "busy"]
    assert len({row["connection"] for row in busy}) == 1
    assert len({row["connection"] for row in rows if row["profile"] == "new"}) == 5
    assert busy[-1]["connect"] < busy[-1]["due"]


def test_a_refused_request_has_no_times_it_did_not_come_to(tmp_path):
    path = tmp_path / "records"
    run(f"unix:{tmp_path}/nothing", "--records", str(path), "--profile", "new:requests=1")
    row = records(path)[0]
    assert row["outcome"] == "refused" and row["connect"] > 0 and row["end"] >= row["connect"]
    assert (row["sent"], row["first_byte"], row["status"], row["pid"], row["under"]) == (0, 0, 0, 0, 0)


def test_a_stall_is_told_by_every_request_that_was_due_in_it(tmp_path):
    """Coordinated omission: a client that waited for its answers before it wanted more would tell of one."""
    path, pace = tmp_path / "records", 10_000_000
    with Speaker(http1, "stall") as target:
        run(target, "--records", str(path), "--profile", "think:think=10-10,requests=60")
    rows = records(path)
    assert {b["due"] - a["due"] for a, b in zip(rows, rows[1:])} == {pace}, "it wants them by its own clock"
    stalled = rows[STALLED - 1]
    over = stalled["end"]
    behind = [row for row in rows[STALLED:] if row["due"] < over]
    assert len(behind) == min((over - stalled["due"] - 1) // pace, 60 - STALLED)
    assert len(behind) >= STALL * 1e9 / pace - 1
    assert all(row["sent"] >= over and row["end"] - row["due"] >= over - row["due"] for row in behind)


@pytest.mark.parametrize("how", ["eof", "SIGTERM", "SIGINT"])
def test_told_to_stop_it_lets_the_slow_request_end(how):
    """It is under way when the stop comes; its answer comes afterwards and is counted."""
    argv = ["--profile", "slow"] + (["--until-eof"] if how == "eof" else [])
    with Server("good") as server, Load(server.target, *argv) as load:
        server.wait_slow_request()
        if how == "eof":
            load.process.stdin.close()
        else:
            load.process.send_signal(getattr(signal, how))
        server.line()
        summary = json.loads(load.process.stdout.read().splitlines()[-1])
        assert load.process.wait() == 0
    assert summary["requests"] == {**summary["requests"], "sent": 1, "ok": 1, "failed_total": 0}


def test_a_second_signal_gives_up():
    with Server("stall") as server, Load(server.target, "--profile", "slow") as load:
        load.wait_line("ready")
        load.process.send_signal(signal.SIGTERM)
        load.process.send_signal(signal.SIGINT)
        assert load.process.wait() == 3


def test_a_duration_ends_it():
    with Server("good") as server:
        summary = run(server.target, "--duration", "0.05", "--profile", "busy", "--profile", "new")
    assert summary["requests"]["ok"] >= 2 and failed(summary) == {}
    assert summary["ended"] - summary["began"] >= 50_000_000


def test_more_clients_than_a_unix_backlog_holds_wait_their_turn(tmp_path):
    with Server("good", tmp_path / "socket") as server:
        summary = run(server.target, "--profile", "new:clients=200,requests=5")
    assert summary["requests"]["ok"] == 1000


@pytest.mark.parametrize("argv", [
    [],
    ["--target", "tcp:127.0.0.1:1"],
    ["--profile", "new"],
    ["--target", "tcp:127.0.0.1:1", "--profile", "nosuch"],
    ["--target", "tcp:127.0.0.1:1", "--profile", "new:clients=0"],
    ["--target", "tcp:127.0.0.1:1", "--profile", "new", "--duration", "soon"],
    ["--target", "tcp:127.0.0.1:1", "--profile", "new", "--identify", "smell"],
    ["--target", "tcp:127.0.0.1:1", "--profile", "new", "--slack"],
    ["--target", "tcp:127.0.0.1:1", "--profile", "new", "more"],
    ["--nosuch"],
])
def test_wrong_use_is_2_with_a_hint(argv):
    result = subprocess.run([LOAD, *argv], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stdout == "" and "usage: load" in result.stderr


@pytest.mark.parametrize("argv", [
    ["--target", "tcp:127.0.0.1:nosuchservice", "--profile", "new"],
    ["--target", "unix:@x", "--profile", "new", "--records", "/nowhere/at/all"],
])
def test_could_not_run_is_3(argv):
    result = subprocess.run([LOAD, *argv], capture_output=True, text=True, check=False)
    assert result.returncode == 3 and result.stderr.startswith("load: ")
