from __future__ import annotations

import socket

import pytest

from inspector.__main__ import answers_to, listening


def test_a_port_that_is_taken_is_named_with_what_to_type() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SystemExit) as refused:
            listening("127.0.0.1", port)
    assert f"127.0.0.1:{port}: address already in use" in str(refused.value)
    assert f'make inspect ARGS="--port {port + 1}"' in str(refused.value)


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("127.0.0.1", ("127.0.0.1", "localhost", "[::1]")),
        ("::1", ("127.0.0.1", "localhost", "[::1]")),
        ("10.0.0.7", ("127.0.0.1", "localhost", "[::1]", "10.0.0.7")),
        ("0.0.0.0", ("*",)),
    ],
)
def test_names_that_lead_here_by_somebody_elses_word_are_not_answered(host: str, names: object) -> None:
    assert answers_to(host) == names


def test_a_port_that_is_free_takes_connections_before_there_is_a_page() -> None:
    with listening("127.0.0.1", 0) as listens, socket.create_connection(listens.getsockname(), timeout=5):
        pass
