# SPDX-License-Identifier: MIT
"""The full numbers of what test_live.py does with few. Label heavy."""

from live import Crowd, Echoer, Listener


def test_500_sockets_and_200_streams_over_ten_restarts(demo):
    server = demo("--probation", "0.5")
    with Crowd(*[Echoer(server, n) for n in range(500)], *[Listener(server, n, ms=50) for n in range(200)]) as crowd:
        crowd.await_generation(1)
        for generation in range(2, 12):
            server.restart()
            crowd.await_generation(generation)
            server.retire_predecessors()
    assert server.current.children() == [] and len(server.processes) == 1
    assert all(member.generations == set(range(1, 12)) for member in crowd.members)
