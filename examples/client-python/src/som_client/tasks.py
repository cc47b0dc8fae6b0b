"""What is asked about images: a question in words, or one of these."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from som.v1 import ask_pb2

Task: TypeAlias = ask_pb2.Task


def ask(question: str) -> Task:
    """A free question. It may speak of marks, `what is [3]?`, and of boxes,
    `what is in {box:10,20,50,60}?`, which become marks."""
    return Task(ask=ask_pb2.AskTask(question=question))


def describe(marks: Iterable[int] = (), vocabulary: Iterable[str] = ()) -> Task:
    """What is in each region, or in those of some marks, in any words or those of `vocabulary`."""
    return Task(describe=ask_pb2.DescribeTask(marks=marks, vocabulary=vocabulary))


def refer(*expressions: str) -> Task:
    """The regions that each expression means."""
    return Task(refer=ask_pb2.ReferTask(expressions=expressions))


def phrases(sentence: str, phrases: Iterable[str] = ()) -> Task:
    """The regions that the noun phrases of a sentence mean; all of them, or those given."""
    return Task(phrases=ask_pb2.PhrasesTask(sentence=sentence, phrases=phrases))


def track(marks: Iterable[int] = ()) -> Task:
    """Where the regions of the first image, or those of some marks, are in the other images."""
    return Task(track=ask_pb2.TrackTask(marks=marks))
