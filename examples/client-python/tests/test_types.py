"""The types of the package are those of the contract, field by field."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor as Message
from google.protobuf.descriptor import FieldDescriptor as Field

from som.v1 import ask_pb2, som_pb2, types_pb2
from som_client import answers, requests, types

SCALARS = {
    Field.TYPE_BOOL: bool,
    Field.TYPE_BYTES: bytes,
    Field.TYPE_DOUBLE: float,
    Field.TYPE_FLOAT: float,
    Field.TYPE_STRING: str,
    Field.TYPE_UINT32: int,
    Field.TYPE_UINT64: int,
}
# Fields that Python has in another form under the same name.
OTHER_FORMS = {"color", "capabilities", "code", "hint"}

# A type, the message that it is, the parts of the message whose fields it has itself, and fields
# with another name; None for those that it leaves out.
RESULTS = [
    (types.Region, types_pb2.Region, [], {"mask": "rle"}),
    (types.Mark, types_pb2.Mark, ["facts"], {}),
    (types.Unmarked, types_pb2.Unmarked, [], {}),
    (types.Page, types_pb2.Picture, [], {}),
    (types.Failure, som_pb2.Failure, [], {}),
    (types.Descriptor, types_pb2.Descriptor, [], {}),
    (types.ImageNote, types_pb2.ImageNote, [], {}),
    (types.Granularity, types_pb2.Granularity, [], {}),
    (types.Refined, types_pb2.Segmentation, [], {"granularity": None}),
    (types.GranularityPick, types_pb2.GranularityPick, [], {}),
    (types.GranularityStep, types_pb2.GranularityStep, [], {}),
    (
        types.Segmentation,
        som_pb2.SegmentResponse,
        ["image", "segmentation"],
        {"timings": "timings_ms"},
    ),
    (
        types.Marking,
        som_pb2.MarkResponse,
        ["image", "segmentation"],
        {"timings": "timings_ms"},
    ),
    (answers.Location, ask_pb2.Location, [], {}),
    (answers.Mention, ask_pb2.Mention, [], {}),
    (answers.Finding, ask_pb2.Finding, [], {}),
    (answers.Answer, ask_pb2.Answer, [], {"usage": "tokens", "timings": "timings_ms"}),
]
# What an answer brings with it from the stages before, and what only this side knows.
FURTHER = {answers.Answer: {"images", "marks", "pages"}, types.Failure: {"error"}}

ARGUMENTS = [
    (types.MarkOptions, types_pb2.MarkOptions, [], {}),
    (requests.Refinement, types_pb2.Refinement, [], {}),
    # The image is an argument of its own.
    (requests.MarkArguments, som_pb2.MarkRequest, ["options"], {"image": None}),
    # Images and task are arguments of their own; regions belong to one image.
    (
        requests.AskArguments,
        som_pb2.AskRequest,
        ["images", "options", "budget"],
        {"image": None, "task": None},
    ),
]


def fields(message: Message, parts: list[str], names: Mapping[str, str | None]) -> dict[str, Field]:
    """The fields of a message by their names in Python."""
    found: dict[str, Field] = {}
    for field in message.fields:
        if field.name in parts:
            found |= fields(field.message_type, parts, names)
        elif (name := names.get(field.name, field.name)) is not None:
            found[name] = field
    return found


def same_scalar(hint: Any, field: Field) -> bool:
    """Whether a type is that of a field; true for fields that are no scalars."""
    scalar = SCALARS.get(field.type)
    if scalar is None or field.is_repeated or field.name in OTHER_FORMS:
        return True
    kinds = set(typing.get_args(hint)) or {hint}
    may_be_left_out = {scalar, type(None)} if field.has_presence else {scalar}
    return scalar in kinds and kinds <= may_be_left_out


@pytest.mark.parametrize("kind, message, parts, names", RESULTS)
def test_results(
    kind: Any, message: Any, parts: list[str], names: Mapping[str, str | None]
) -> None:
    expected = fields(message.DESCRIPTOR, parts, names)
    hints = typing.get_type_hints(kind)
    assert {field.name for field in dataclasses.fields(kind)} == {
        *expected,
        *FURTHER.get(kind, ()),
    }
    for name, field in expected.items():
        assert same_scalar(hints[name], field), name


@pytest.mark.parametrize("kind, message, parts, names", ARGUMENTS)
def test_arguments(
    kind: Any, message: Any, parts: list[str], names: Mapping[str, str | None]
) -> None:
    expected = fields(message.DESCRIPTOR, parts, names)
    assert set(typing.get_type_hints(kind)) == set(expected)
    for name, field in expected.items():
        hint = typing.get_type_hints(kind)[name]
        assert field.message_type or same_scalar(hint, field) or field.enum_type, name


def test_marks_are_asked_for_in_the_same_words_everywhere() -> None:
    names = {field.name for field in types_pb2.MarkOptions.DESCRIPTOR.fields}
    for message in (som_pb2.MarkRequest, som_pb2.AskRequest, som_pb2.CompareRow):
        options = message.DESCRIPTOR.fields_by_name["options"]
        assert options.message_type is types_pb2.MarkOptions.DESCRIPTOR
    for index, name in enumerate(sorted(names)):
        said: Any = index + 1
        sent = said
        if name == "colors":
            said, sent = ["#010203"], [0x010203]
        request = requests.mark(b"", **{name: said})
        assert getattr(request.options, name) == sent
        question = requests.ask([b""], "what?", **{name: said})
        assert getattr(question.options, name) == sent
    assert not requests.mark(b"").options.ListFields()
