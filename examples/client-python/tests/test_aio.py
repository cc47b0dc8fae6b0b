"""The client for coroutines against a live server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest

from som_client import (
    Answer,
    AsyncClient,
    Client,
    Compared,
    Failure,
    Kept,
    Marking,
    Row,
    SomError,
)


def test_it_answers_as_the_blocking_client_does(address: str, som: Client, photo: Path) -> None:
    async def ask() -> tuple:
        async with AsyncClient(address) as client:
            return await asyncio.gather(
                client.segment(photo),
                client.mark(photo, format="raw"),
                client.segment(Kept(photo)),
                client.segmenters(),
                client.mark_styles(),
                client.granularity_steps(),
            )

    segmentation, marking, kept, segmenters, styles, steps = asyncio.run(ask())
    assert segmentation == som.segment(photo)
    assert kept.regions == segmentation.regions
    blocking = som.mark(photo, format="raw")
    assert (marking.marks, marking.pages) == (blocking.marks, blocking.pages)
    assert (segmenters, styles) == (som.segmenters(), som.mark_styles())
    assert steps == som.granularity_steps()


def test_a_stream_answers_in_order(address: str, photo: Path) -> None:
    async def ask() -> list[Marking | Failure]:
        async with AsyncClient(address) as client:
            stream = client.mark_stream([photo, b"no image", photo], format="none")
            return [answer async for answer in stream]

    good, bad, again = asyncio.run(ask())
    assert isinstance(good, Marking) and isinstance(again, Marking) and good.marks == again.marks
    assert isinstance(bad, Failure) and bad.code == grpc.StatusCode.INVALID_ARGUMENT


def test_images_may_come_asynchronously_and_end_with_an_exception(
    address: str, photo: Path
) -> None:
    async def ask() -> list[Marking | Failure]:
        async def images():
            yield photo
            yield Path("no/such/file.png")
            await asyncio.sleep(0)
            raise LookupError("no more of them")

        answers = []
        async with AsyncClient(address) as client:
            with pytest.raises(LookupError, match="no more of them"):
                async for answer in client.mark_stream(images(), format="none"):
                    answers.append(answer)
            assert await client.health()
        return answers

    good, bad = asyncio.run(ask())
    assert isinstance(good, Marking)
    assert isinstance(bad, Failure) and isinstance(bad.error, FileNotFoundError)


def test_rows_and_models_are_those_of_the_blocking_client(
    address: str, som: Client, photo: Path
) -> None:
    rows: list[Row] = [{"params": {"level": 1}}, {"max_marks": 2}]

    async def ask() -> tuple:
        async with AsyncClient(address) as client:
            compared = client.compare([photo], "which region is red?", rows)
            return [row async for row in compared], await client.models()

    compared, models = asyncio.run(ask())
    here = som.compare([photo], "which region is red?", rows)
    assert sorted(compared, key=key) == sorted(here, key=key)
    assert models == som.models()


def key(row: Compared) -> int:
    return row.row


def test_a_cancelled_task_ends_its_call(address: str, photo: Path) -> None:
    async def ask() -> None:
        async with AsyncClient(address) as client:
            task = asyncio.create_task(client.mark(photo))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await client.segment(photo)).regions

    asyncio.run(ask())


def test_mistakes_are_named(address: str, photo: Path) -> None:
    async def ask() -> None:
        async with AsyncClient(address) as client:
            await client.segment(photo, "clasic")

    with pytest.raises(SomError, match="clasic") as error:
        asyncio.run(ask())
    assert error.value.code == grpc.StatusCode.NOT_FOUND


def test_an_answer_is_that_of_the_blocking_client(address: str, som: Client, photo: Path) -> None:
    async def ask() -> Answer:
        async with AsyncClient(address) as client:
            return await client.ask([photo], "which region is red?")

    answer = asyncio.run(ask())
    assert answer == som.ask([photo], "which region is red?")
