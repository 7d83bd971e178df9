# SPDX-License-Identifier: MIT
"""Servers of others, from their packages: what their restarts cost is seen, and put where it belongs.

Every expectation is one that does not hang on luck: which classes may fail, who must reconnect and how, and
the exit status. How many fail is up to the moment.
"""
import contextlib
import os
import select
import shutil
import socket
import subprocess

import pytest

from verify import exists, verify

# Clients that are idle at nearly every moment: whoever closes idle connections hits requests on their way.
TRAFFIC = ("--profile", "new:clients=4,think:clients=200,think=0-10,busy:clients=16", "--restarts", "4")


def program(name):
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
    if not found:
        pytest.skip(f"{name} is not installed (tools/deps heavy)")
    return found


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def www(tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "www").mkdir()
    (tmp_path / "www/index.html").write_text("x" * 100)
    return tmp_path


def pid_in(path):
    return int(path.read_text().split()[0])


@contextlib.contextmanager
def daemon(arguments, pid_file):
    """A server that goes to the background by itself, and says that it is ready by having done so."""
    subprocess.run(arguments, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=30)
    try:
        yield
    finally:
        pid = pid_in(pid_file)
        pidfd = os.pidfd_open(pid)
        os.kill(pid, 15)
        select.select([pidfd], [], [], 30)
        os.close(pidfd)
        if exists(pid):
            os.kill(pid, 9)


def nginx(folder, port, speaks=""):
    (folder / "nginx.conf").write_text(f"""
worker_processes 2; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 100000000;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port} {speaks}; root {folder}/www; }} }}
""")
    return daemon([program("nginx"), "-c", folder / "nginx.conf", "-p", folder], folder / "nginx.pid")


def only_the_race(result):
    assert set(result.failed()) <= {"keepalive_race"}, result
    assert result.classes() <= {"keepalive_race"}, result


def test_nginx_reload(www, port):
    with nginx(www, port):
        result = verify("--url", f"http://127.0.0.1:{port}", "--restart-cmd", f"kill -HUP $(cat {www}/nginx.pid)",
                        *TRAFFIC)
        only_the_race(result)
        assert result.status == 1, result
        assert result.failed()["keepalive_race"] > 4
        assert result.json["reconnects"]["idle"] > 200, "all of them, restart by restart"
        assert len(result.json["generations"]) == 5
        assert "keep-alive" in result.finding("keepalive_race")["text"]
        new = next(p for p in result.json["profiles"] if p["name"] == "new")
        assert new["requests"]["failed_total"] == 0, "a fresh connection is busy"
        assert exists(pid_in(www / "nginx.pid")), "it goes on running"


UPGRADE = """old=$(cat {0}/nginx.pid)
kill -USR2 $old
i=0
until [ -s {0}/nginx.pid.oldbin ] && [ -s {0}/nginx.pid ]; do
        i=$((i + 1)); [ $i -lt 1000000 ] || exit 1
done
kill -QUIT $old
"""


def test_nginx_binary_upgrade(www, port):
    with nginx(www, port):
        result = verify("--url", f"http://127.0.0.1:{port}", "--restart-cmd", UPGRADE.format(www), *TRAFFIC)
        only_the_race(result)
        assert result.status == 1, result
        assert result.failed()["keepalive_race"] > 4
        assert len(result.json["generations"]) == 5


def haproxy(folder, port, option):
    (folder / "haproxy.cfg").write_text(f"""
global
  maxconn 4000
  nbthread 2
  stats socket {folder}/sock mode 600 level admin expose-fd listeners
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 5s
  timeout http-keep-alive 30s
  {option}
frontend f
  bind 127.0.0.1:{port}
  http-request return status 200 content-type text/plain string "hello"
""")
    return daemon([program("haproxy"), "-W", "-D", "-f", folder / "haproxy.cfg", "-p", folder / "pid"],
                  folder / "pid")


def test_haproxy_closes_idle_connections_by_default(www, port):
    with haproxy(www, port, ""):
        result = verify("--url", f"http://127.0.0.1:{port}", "--restart-cmd", f"kill -USR2 $(head -1 {www}/pid)",
                        "--profile", "new:clients=2,think:clients=256,think=50-200", "--restarts", 4)
        only_the_race(result)
        assert result.json["reconnects"]["idle"] > 256, result
        assert result.status == (1 if result.failed() else 0)


def test_haproxy_that_closes_on_the_response_loses_nothing(www, port):
    with haproxy(www, port, "option idle-close-on-response"):
        arguments = ("--url", f"http://127.0.0.1:{port}", "--restart-cmd", f"kill -USR2 $(head -1 {www}/pid)",
                     "--profile", "new:clients=2,think:clients=256,think=50-200", "--restarts")
        result = verify(*arguments, 3)
        assert result.status == 0, result
        assert result.failed() == {}
        assert result.json["reconnects"]["announced"] >= 256
        assert verify("--strict", *arguments, 1).status == 1, "they were forced to reconnect"


def test_lighttpd(www, port):
    (www / "lighttpd.conf").write_text(f"""
server.document-root = "{www}/www"
server.port = {port}
server.bind = "127.0.0.1"
server.pid-file = "{www}/pid"
server.errorlog = "{www}/error.log"
server.max-keep-alive-requests = 1000000
server.max-fds = 4096
index-file.names = ( "index.html" )
""")
    with daemon([program("lighttpd"), "-f", www / "lighttpd.conf"], www / "pid"):
        result = verify("--url", f"http://127.0.0.1:{port}", "--restart-cmd", f"kill -USR1 $(cat {www}/pid)",
                        *TRAFFIC)
        only_the_race(result)
        assert result.json["reconnects"]["idle"] + result.json["reconnects"]["other"] > 200, result
        assert "in_place" in result.classes("note"), result
        assert result.status == (1 if result.failed() else 0)


def test_h2o_under_server_starter(www, port):
    starter, h2o = program("start_server"), program("h2o")
    (www / "h2o.conf").write_text(f"""
hosts:
  default:
    paths:
      /:
        file.dir: {www}/www
listen:
  host: 127.0.0.1
  port: {port}
num-threads: 2
user: {"root" if os.getuid() == 0 else os.environ.get("USER", "nobody")}
""")
    result = verify("--restart-cmd", "kill -HUP $HOTSTART_PID", "--every", 2, "--restarts", 3, *TRAFFIC[:2], "--",
                    starter, f"--port=127.0.0.1:{port}", "--", h2o, "-c", www / "h2o.conf")
    assert result.status == 0, result
    assert result.failed() == {}
    assert result.json["reconnects"]["announced"] >= 200
    assert len(result.json["generations"]) == 4
    assert "overlap" in result.classes("note")


def test_nginx_over_tls_speaks_http2_as_well(www, port):
    """Its old workers say GOAWAY: no stream is lost, and every connection."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-subj", "/CN=localhost", "-days", "2", "-keyout", www / "key.pem", "-out", www / "cert.pem"],
                   check=True, capture_output=True)
    with nginx(www, port, f"ssl http2; ssl_certificate {www}/cert.pem; ssl_certificate_key {www}/key.pem"):
        result = verify("--url", f"https://127.0.0.1:{port}", "--restart-cmd", f"kill -HUP $(cat {www}/nginx.pid)",
                        "--profile", "new:clients=2,think=1-20,http2:clients=4", "--restarts", 3, "--every", 0.5)
        assert result.status == 0, result
        assert result.failed() == {}
        assert result.json["reconnects"]["goaway"] >= 3 * 4 - 2, result
        assert len(result.json["generations"]) == 4
