# SPDX-License-Identifier: MIT
"""The demo is restarted without anybody noticing; its faults are borne; the reports are what they should be."""
import concurrent.futures
import json
import re
import subprocess
import xml.etree.ElementTree as xml

import pytest

from verify import DEMO, HOTSTART, exists, run, verify

SERVER = (DEMO, "--listen", "127.0.0.1:0", "--hello-delay", "0.2")
LIGHT = ("--profile", "new:clients=2,busy:clients=2,think:clients=8,pipelined:clients=1,slow:clients=1,"
                      "upload:clients=1,download:clients=1,http2:clients=1,websocket:clients=2,events:clients=2")
KINDS = {"new", "busy", "think", "pipelined", "slow", "upload", "download", "http2", "websocket", "events"}


DIES = ("--restarts", 2, "--every", 0.8, "--profile", "new:clients=1,think=1-5", "--", *SERVER)
FAULTS = {
    "crash-before-ready": ("--restarts", 2, "--every", 0.3, *LIGHT, "--", *SERVER),
    "kill-new": DIES,
    "crash-after=0.3": DIES,
    "double-trigger": ("--restarts", 2, "--every", 0.3, *LIGHT, "--", *SERVER),
    "kill-old": ("--restarts", 1, "--every", 0.3, "--profile", "busy:clients=2,slow:clients=6", "--", *SERVER),
    "hang": ("--restarts", 1, "--every", 0.3, "--profile", "new:clients=1", "--", *SERVER, "--start-timeout", "0.3"),
}


@pytest.fixture(scope="module")
def faults():
    """Mostly waiting: side by side."""
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        runs = {fault: pool.submit(verify, "--fault", fault, *rest) for fault, rest in FAULTS.items()}
        return {fault: run.result() for fault, run in runs.items()}


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    result = verify("--restarts", 8, "--every", 0.25, *LIGHT, "--report", folder / "report.html",
                    "--junit", folder / "junit.xml", "--", *SERVER)
    result.folder = folder
    return result


def test_demo_is_clean(clean):
    assert clean.status == 0, clean
    assert clean.json["verdict"] == "clean"
    assert clean.failed() == {}
    assert clean.classes() == set()
    assert clean.json["restarts"] == 8
    assert len(clean.json["generations"]) == 9


def test_every_kind_of_traffic_that_the_catalog_names_is_sent(clean):
    sent = {p["name"]: p["requests"]["sent"] for p in clean.json["profiles"]}
    assert set(sent) == KINDS
    assert all(sent.values()), sent
    assert clean.json["skipped"] == []


def test_sums_are_right(clean):
    requests = clean.json["requests"]
    assert requests["sent"] == requests["ok"] + requests["unserved"] + sum(requests["failed"].values())
    assert requests["sent"] == sum(p["requests"]["sent"] for p in clean.json["profiles"])
    assert sum(g["answers"] for g in clean.json["generations"]) <= requests["sent"]


def test_bodies_that_stay_the_same_are_compared(clean):
    bodies = {p["name"]: p.get("bodies") for p in clean.json["profiles"]}
    assert bodies["new"] == bodies["busy"] == bodies["http2"] == "the same"
    assert bodies["websocket"] is None and bodies["upload"] is None


def test_events_come_at_the_pace_of_the_server(clean):
    events, = (p for p in clean.json["profiles"] if p["name"] == "events")
    assert events["latency_steady"]["p50_ms"] >= 40


def test_a_probation_is_no_leak_and_nothing_left_behind():
    result = verify("--restarts", 1, "--every", 0.3, "--profile", "new:clients=1,think:clients=2", "--", *SERVER,
                    "--probation", 3600)
    assert result.status == 0, result
    assert result.classes("note") == {"probation"}, result


def test_time_to_the_first_answer_is_known_for_each_restart(clean):
    assert clean.json["first_answer"]["effective"] == 8
    assert all(r["first_answer_ms"] > 0 for r in clean.json["restart_details"])


def test_descriptors_are_audited_before_during_and_after(clean):
    audit = clean.json["audit"]
    assert len(audit["before"]) == 1 and len(audit["after"]) == 1
    assert len(audit["during"]) == 2
    for moment in audit.values():
        if isinstance(moment, list):
            assert any(fd["listening"] for process in moment for fd in process["descriptors"])
    assert audit["memory"]["highest_kib"] > 0


def test_nothing_is_left_running(clean):
    assert not any(exists(g["pid"]) for g in clean.json["generations"])


def test_junit_has_a_case_for_each_class(clean):
    suite = xml.parse(clean.folder / "junit.xml").getroot()
    assert suite.tag == "testsuite"
    assert suite.get("failures") == "0"
    assert int(suite.get("tests")) == len(suite.findall("testcase")) > 10


def test_report_needs_nothing_else(clean):
    page = (clean.folder / "report.html").read_text()
    assert not re.search(r'(?:src|href)="(?!data:)', page), "no file beside it"
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page
    assert 'name="viewport"' in page
    assert "prefers-color-scheme" in page
    assert page.count("<circle") > 20
    assert page.count('class="restart"') == 8


def test_text_says_the_verdict_first():
    result = run("verify", "--restarts", 1, "--every", 0.2, "--profile", "new:clients=1", "--", *SERVER)
    assert result.status == 0, result
    assert result.out.startswith("CLEAN ")


def test_new_processes_that_crash_are_rolled_back(faults):
    result = faults["crash-before-ready"]
    assert result.status == 0, result
    assert result.failed() == {}
    assert "rolled_back" in result.classes("note"), result


def test_demo_is_clean_over_tls(tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-subj", "/CN=localhost", "-days", "2", "-keyout", tmp_path / "key.pem", "-out",
                    tmp_path / "cert.pem"], check=True, capture_output=True)
    result = verify("--tls", "--restarts", 2, "--every", 0.3, *LIGHT, "--", *SERVER, "--tls", tmp_path / "cert.pem",
                    tmp_path / "key.pem")
    assert result.status == 0, result
    assert result.failed() == {}
    assert all(p["requests"]["ok"] for p in result.json["profiles"])
    assert {p["name"] for p in result.json["profiles"]} == KINDS
    assert len(result.json["generations"]) == 3


@pytest.mark.parametrize("address", ["unix:{}/socket", "[::1]:0", "tcp://[::]:0"])
def test_the_listener_is_found_whatever_it_is(address, tmp_path):
    result = verify("--restarts", 1, "--every", 0.3, "--profile", "new:clients=1,think:clients=2", "--", DEMO,
                    "--listen", address.format(tmp_path))
    assert result.status == 0, result
    assert len(result.json["generations"]) == 2


def test_a_double_trigger_is_clean(faults):
    result = faults["double-trigger"]
    assert result.status == 0, result


def test_an_old_process_that_is_killed_is_seen(faults):
    result = faults["kill-old"]
    assert result.status == 1, result
    assert result.failed(), result


@pytest.mark.parametrize("fault", ["kill-new", "crash-after=0.3"])
def test_a_new_process_that_dies_is_no_second_generation(fault, faults):
    result = faults[fault]
    assert result.json, result
    # What it had accepted dies with it; the old one goes on in its turn.
    assert result.classes() <= {"reset", "refused", "cut"}, result
    assert "rolled_back" in result.classes("note"), result
    assert len(result.json["generations"]) == 3, result


def test_a_hung_process_is_ended_as_well(faults):
    result = faults["hang"]
    assert result.status == 0, result
    assert result.failed() == {}


def test_a_server_that_runs_already_is_left_running():
    server = subprocess.Popen([DEMO, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    try:
        port = None
        while port is None:
            found = re.search(r"127\.0\.0\.1:(\d+)", server.stderr.readline())
            port = found and found.group(1)
        result = verify("--url", f"http://127.0.0.1:{port}", "--restart-cmd", "kill -USR2 $HOTSTART_PID",
                        "--restarts", 2, "--every", 0.3, "--profile", "new:clients=1,think:clients=2")
        assert result.status == 0, result
        last = result.json["generations"][-1]["pid"]
        assert len(result.json["generations"]) == 3
        assert exists(last)
        subprocess.run(["kill", str(last)], check=True)
        # Its standard error ends when the last generation has ended.
        while server.stderr.readline():
            pass
    finally:
        server.kill()
        server.wait()


def test_an_interrupted_proof_leaves_nothing():
    process = subprocess.Popen([HOTSTART, "verify", "--verbose", "--restarts", "1000", "--every", "0.2", "--",
                                *SERVER], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    pids = set()
    for line in process.stderr:
        pids |= set(re.findall(r"\[pid (\d+)\]|pid[ =](\d+)", line))
        if "serving" in line or len(pids) > 1:
            break
    process.terminate()
    for _ in process.stderr:
        pass
    assert process.wait(timeout=30) == 130
    children = subprocess.run(["ps", "-e", "-o", "ppid="], capture_output=True, text=True).stdout.split()
    assert str(process.pid) not in children


def test_json_is_valid_to_the_last_byte():
    result = verify("--restarts", 1, "--every", 0.2, "--profile", "new:clients=1", "--", *SERVER)
    assert json.loads(result.out) == result.json
    assert result.out.endswith("}\n")
