"""What a client finds out without stubs: reflection and health."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)


class Reflection:
    """Asks a server for its contract, in either version: their messages are the same."""

    def __init__(self, channel: grpc.Channel, version: str):
        self._ask = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )

    def ask(self, **question: str) -> reflection_pb2.ServerReflectionResponse:
        [answer] = self._ask(iter([reflection_pb2.ServerReflectionRequest(**question)]))
        return answer

    def services(self) -> set[str]:
        answer = self.ask(list_services="").list_services_response
        return {service.name for service in answer.service}

    def pool(self, symbol: str) -> descriptor_pool.DescriptorPool:
        """All that `symbol` is made of."""
        answer = self.ask(file_containing_symbol=symbol).file_descriptor_response
        pool = descriptor_pool.DescriptorPool()
        for data in answer.file_descriptor_proto:
            self._add(pool, FileDescriptorProto.FromString(data), set())
        return pool

    def _add(self, pool, file: FileDescriptorProto, added: set[str]) -> None:
        """A file goes in after those it builds on."""
        added.add(file.name)
        for name in file.dependency:
            if name in added:
                continue
            answer = self.ask(file_by_filename=name).file_descriptor_response
            self._add(pool, FileDescriptorProto.FromString(answer.file_descriptor_proto[0]), added)
        pool.Add(file)


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_a_call_without_stubs(server, coffee, version):
    with server.channel() as channel:
        reflection = Reflection(channel, version)
        assert {
            "som.v1.SomService",
            "som.v1.CatalogService",
            "grpc.health.v1.Health",
        } <= reflection.services()
        pool = reflection.pool("som.v1.SomService")
        method = pool.FindServiceByName("som.v1.SomService").FindMethodByName("Segment")
        request_type = message_factory.GetMessageClass(method.input_type)
        response_type = message_factory.GetMessageClass(method.output_type)
        call = channel.unary_unary(
            "/som.v1.SomService/Segment",
            request_serializer=request_type.SerializeToString,
            response_deserializer=response_type.FromString,
        )
        answer = call(request_type(image={"encoded": {"data": coffee}}))
    assert (answer.image.size.width, answer.segmentation.segmenter) == (600, "classic")
    assert len(answer.regions) >= 8


def test_grpcios_own_reflection_client_finds_everything(server):
    with server.channel() as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        assert "som.v1.SomService" in database.get_services()
        pool = descriptor_pool.DescriptorPool(database)
        service = pool.FindServiceByName("som.v1.SomService")
        assert sorted(method.name for method in service.methods) == [
            "Ask",
            "Compare",
            "Mark",
            "MarkStream",
            "Segment",
            "Track",
        ]


def test_it_says_that_it_is_healthy(server):
    with server.channel() as channel:
        health = health_pb2_grpc.HealthStub(channel)
        answer = health.Check(health_pb2.HealthCheckRequest())
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError) as error:
            health.Check(health_pb2.HealthCheckRequest(service="nobody"))
        assert error.value.code() == grpc.StatusCode.NOT_FOUND
