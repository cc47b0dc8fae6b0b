"""Who gets in: certificates and tokens."""

from __future__ import annotations

import grpc
import pytest
import trustme
from som.v1 import som_pb2_grpc

from conftest import mark

TOKEN = "a token of enough length"


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def files(folder, authority: trustme.CA) -> str:
    """Writes the server's certificate, and gives the settings that name it."""
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    chain = b"".join(pem.bytes() for pem in certificate.cert_chain_pems)
    (folder / "server.pem").write_bytes(chain)
    (folder / "server.key").write_bytes(certificate.private_key_pem.bytes())
    (folder / "ca.pem").write_bytes(authority.cert_pem.bytes())
    return '[server.tls]\ncertificate = "server.pem"\nkey = "server.key"\n'


def ask(server, coffee, credentials, metadata=None):
    with grpc.secure_channel(server.address, credentials) as channel:
        stub = som_pb2_grpc.SomServiceStub(channel)
        return stub.Mark(mark(coffee), metadata=metadata, timeout=20)


def test_tls_and_who_trusts_whom(start, tmp_path, authority, coffee):
    server = start(files(tmp_path, authority))
    trusting = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
    assert ask(server, coffee, trusting).marks

    stranger = grpc.ssl_channel_credentials(trustme.CA().cert_pem.bytes())
    with pytest.raises(grpc.RpcError) as error:
        ask(server, coffee, stranger)
    assert error.value.code() == grpc.StatusCode.UNAVAILABLE
    with server.channel() as channel, pytest.raises(grpc.RpcError) as error:
        som_pb2_grpc.SomServiceStub(channel).Mark(mark(coffee), timeout=20)
    assert error.value.code() == grpc.StatusCode.UNAVAILABLE
    assert ask(server, coffee, trusting).marks


def test_a_client_shows_its_certificate(start, tmp_path, authority, coffee):
    server = start(files(tmp_path, authority) + 'client_authorities = "ca.pem"\n')
    known = authority.issue_cert("client@example.com")
    roots = authority.cert_pem.bytes()
    with_certificate = grpc.ssl_channel_credentials(
        roots, known.private_key_pem.bytes(), known.cert_chain_pems[0].bytes()
    )
    assert ask(server, coffee, with_certificate).marks
    with pytest.raises(grpc.RpcError) as error:
        ask(server, coffee, grpc.ssl_channel_credentials(roots))
    assert error.value.code() == grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("form", ["unix:{}", "unix://{}"])
def test_a_unix_socket_is_an_address(start, tmp_path, coffee, form):
    # As authority the client names the path, which is none.
    socket = tmp_path / "a folder" / "som.sock"
    socket.parent.mkdir()
    start(listen=f"unix:{socket}")
    with grpc.insecure_channel(form.format(socket)) as channel:
        stub = som_pb2_grpc.SomServiceStub(channel)
        first, second = stub.Mark(mark(coffee)), stub.Mark(mark(coffee))
        assert first.marks and first.marks == second.marks


def test_a_token_opens_and_a_wrong_one_does_not(start, coffee):
    server = start('[server.token.alice]\nenv = "ALICE"\n', ALICE=TOKEN)
    with server.channel() as channel:
        stub = som_pb2_grpc.SomServiceStub(channel)
        for metadata, words in [
            (None, "a bearer token is needed"),
            ([("authorization", f"Bearer {TOKEN}!")], "the bearer token is wrong"),
            ([("authorization", f"Basic {TOKEN}")], "the bearer token is wrong"),
        ]:
            with pytest.raises(grpc.RpcError) as error:
                stub.Mark(mark(coffee), metadata=metadata)
            assert error.value.code() == grpc.StatusCode.UNAUTHENTICATED
            assert words in error.value.details()
        right = [("authorization", f"Bearer {TOKEN}"), ("x-request-id", "one-of-mine")]
        answer, call = stub.Mark.with_call(mark(coffee), metadata=right)
        assert answer.marks
        assert ("x-request-id", "one-of-mine") in [tuple(pair) for pair in call.initial_metadata()]
