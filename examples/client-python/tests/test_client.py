"""The blocking client against a live server."""

from __future__ import annotations

import asyncio
import dataclasses
import io
from pathlib import Path

import grpc
import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco

from som_client import (
    Answer,
    AsyncClient,
    Client,
    Connection,
    Failure,
    Frame,
    ImageFile,
    Kept,
    Marking,
    Refinement,
    Region,
    Row,
    SomError,
    calls,
    requests,
    tasks,
)

from conftest import served


def pixels(photo: Path) -> np.ndarray:
    return np.asarray(Image.open(photo).convert("RGB"))


def test_regions_are_masks(som: Client, photo: Path) -> None:
    cut = som.segment(photo)
    assert cut.size == (600, 400)
    assert (cut.segmenter, cut.params["level"]) == ("classic", 3)
    assert len(cut.regions) >= 8
    for region in cut.regions:
        mask = region.mask
        assert mask.shape == (400, 600) and mask.dtype == bool
        assert mask.sum() == region.area == coco.area(region.rle)
        assert region.bbox == tuple(coco.toBbox(region.rle))


def test_one_image_in_every_form_gives_one_answer(som: Client, photo: Path) -> None:
    forms = [photo, str(photo), photo.read_bytes(), pixels(photo), Kept(photo)]
    first, *others = (som.segment(form).regions for form in forms)
    assert all(other == first for other in others)


def test_a_marking_is_all_there(som: Client, photo: Path) -> None:
    marking = som.mark(photo, styles=[("mask", {"opacity": 0.2}), "number"])
    assert marking.styles == ["mask", "number"]
    assert [mark.text for mark in marking.marks] == [
        str(number) for number in range(1, len(marking.marks) + 1)
    ]
    areas = [mark.region.area for mark in marking.marks]
    assert areas == sorted(areas, reverse=True)
    assert all(mark.contrast >= 4.5 for mark in marking.marks)
    [page] = marking.pages
    image = Image.open(io.BytesIO(page.data))
    assert (image.format, image.size, page.size) == ("PNG", (600, 400), (600, 400))
    assert marking.timings_ms["segment"] > 0


def test_pages_come_as_asked(som: Client, photo: Path) -> None:
    raw = som.mark(photo, format="raw").pages[0].pixels
    png = np.asarray(Image.open(io.BytesIO(som.mark(photo, format="png").pages[0].data)))
    assert np.array_equal(raw, png)
    assert not np.array_equal(raw, pixels(photo))
    assert som.mark(photo, format="none").pages == []
    assert len(som.mark(photo, page_size=5).pages) > 1
    assert len(som.mark(photo, page_size=0).pages) == 1
    larger = som.mark(photo, font_size=30)
    assert {mark.font_size for mark in larger.marks} == {30}
    limited = som.mark(photo, max_marks=3)
    assert len(limited.marks) == 3
    assert {unmarked.reason for unmarked in limited.unmarked} == {"over_limit"}


def test_a_request_says_how_a_file_is_read(som: Client) -> None:
    glass = Image.new("RGBA", (60, 40), (200, 10, 10, 0))
    file = io.BytesIO()
    glass.save(file, "png")
    data = file.getvalue()
    for form in (ImageFile, Kept):
        seen = [
            som.mark(form(data, background=color), styles=["number"], format="raw")
            for color in ("", "#102030")
        ]
        assert [note.kind for note in seen[0].notes] == ["transparency"]
        assert seen[1].notes == []
        assert tuple(seen[1].pages[0].pixels[0, 0]) == (0x10, 0x20, 0x30)
    deep = io.BytesIO()
    Image.fromarray((np.arange(2400, dtype=np.uint16) * 1).reshape(40, 60)).save(deep, "png")
    notes = som.segment(ImageFile(deep.getvalue(), stretch=True)).notes
    assert [note.kind for note in notes] == ["stretched"]


def test_marks_have_colours_of_ones_own(som: Client, photo: Path) -> None:
    marking = som.mark(photo, colors=["#ff0000", "#00ff00"])
    assert {mark.color for mark in marking.marks} <= {"#ff0000", "#00ff00"}


def test_an_answer_tells_of_its_images(som: Client, photo: Path) -> None:
    glass = Image.new("RGBA", (60, 40), (200, 10, 10, 90))
    file = io.BytesIO()
    glass.save(file, "png")
    answer = som.ask([photo, file.getvalue()], "which region is red?", max_marks=3)
    first, second = answer.images
    assert (first.size, second.size) == ((600, 400), (60, 40))
    assert first.notes == []
    assert [note.kind for note in second.notes] == ["transparency"]
    assert (first.segmenter, first.params["level"]) == ("classic", 3)
    assert len(first.marks) == 3 and len(first.regions) == 3 + len(first.unmarked)
    assert [mark for image in answer.images for mark in image.marks] == list(answer.marks.values())


def test_a_page_is_a_file(som: Client, photo: Path, tmp_path: Path) -> None:
    page = som.mark(photo, format="jpeg").pages[0]
    page.save(tmp_path / "marked.jpg")
    assert Image.open(tmp_path / "marked.jpg").format == "JPEG"


def test_own_boxes_are_refined(som: Client, photo: Path) -> None:
    cup = Region.of_box((238.5, 20.0, 520.0, 330.2), (600, 400), label="cup")
    assert cup.bbox == (238, 20, 282, 310) and cup.area == 282 * 310
    boxed = som.mark(photo, regions=[cup], format="none")
    assert boxed.marks[0].region.extra["shape"] == "box"
    assert boxed.refined is None
    cut = som.mark(photo, regions=[cup], refine="classic", format="none")
    assert cut.refined is not None and cut.refined.segmenter == "classic"
    [mark] = cut.marks
    assert mark.region.label == "cup" and mark.region.area < cup.area
    assert mark.region.extra["refine"]["hint"] == "box"
    again = som.segment(photo, refine=Refinement("classic", {"max_regions": 3}, "point"))
    assert {region.extra["refine"]["hint"] for region in again.regions} == {"point"}


def test_own_regions_are_marked(som: Client, photo: Path) -> None:
    regions = som.segment(photo).regions[:4]
    marking = som.mark(photo, regions=regions)
    assert marking.segmenter == ""
    assert sorted(mark.index for mark in marking.marks) == [0, 1, 2, 3]
    for mark in marking.marks:
        assert mark.region.rle == regions[mark.index].rle


def test_hints_cut_what_they_point_at(som: Client, photo: Path) -> None:
    hints = {"points": [{"x": 300, "y": 200, "label": 1}]}
    regions = som.segment(photo, params={"hints": hints}).regions
    assert regions and all(region.mask[200, 300] for region in regions)


def test_a_granularity_chooses_segmenter_and_level(som: Client, photo: Path) -> None:
    for granularity, level in [(1.0, 1), (2.0, 4), (3.0, 6)]:
        cut = som.segment(photo, granularity=granularity)
        assert (cut.segmenter, cut.params["level"]) == ("classic", level)
        assert cut.granularity is not None and cut.granularity.value == granularity
        assert f"classic, level {level}" in cut.granularity.reason
        marking = som.mark(photo, granularity=granularity, format="none")
        assert marking.granularity == cut.granularity
    assert som.segment(photo).granularity is None
    with pytest.raises(SomError) as error:
        som.segment(photo, "classic", granularity=2)
    assert error.value.code == grpc.StatusCode.INVALID_ARGUMENT
    steps = som.granularity_steps()
    assert [step.start for step in steps] == [1, 1.33, 1.67, 2, 2.33, 2.67]
    assert {step.everything.segmenter for step in steps} == {"classic"}


def test_detections_are_those_of_supervision(som: Client, photo: Path) -> None:
    marking = som.mark(photo, format="none")
    detections = marking.to_supervision()
    assert len(detections) == len(marking.marks)
    assert list(detections.data["mark"]) == [mark.text for mark in marking.marks]
    assert detections.mask is not None
    assert np.array_equal(detections.area, [mark.region.area for mark in marking.marks])
    x, y, width, height = marking.marks[0].region.bbox
    assert detections.xyxy[0].tolist() == [x, y, x + width, y + height]
    assert len(som.segment(photo).to_supervision()) == len(som.segment(photo).regions)


def test_annotators_of_supervision_draw_as_they_are(som: Client, photo: Path) -> None:
    import supervision

    marking = som.mark(photo, format="none")
    named = [dataclasses.replace(mark.region, label="cup") for mark in marking.marks]
    cup = dataclasses.replace(marking, marks=[
        dataclasses.replace(mark, region=region)
        for mark, region in zip(marking.marks, named, strict=True)
    ])
    for detections in [marking.to_supervision(), cup.to_supervision()]:
        scene = pixels(photo)[..., ::-1].copy()
        for annotator in [
            supervision.MaskAnnotator(),
            supervision.BoxAnnotator(),
            supervision.PolygonAnnotator(),
            supervision.LabelAnnotator(),
        ]:
            scene = annotator.annotate(scene, detections)
        assert not np.array_equal(scene, pixels(photo)[..., ::-1])
    assert set(cup.to_supervision().class_id) == {0}


def test_a_kept_image_is_sent_once(som: Client) -> None:
    image = Kept(noise(8))
    before = calls.segment(image, "", None)
    with pytest.raises(grpc.RpcError) as error:
        before.rpc(som._stubs)(before.request)
    assert error.value.code() == grpc.StatusCode.NOT_FOUND
    first = som.segment(image)
    after = calls.segment(image, "", None)
    assert after.request.ByteSize() < 100
    assert after.read(after.rpc(som._stubs)(after.request)).regions == first.regions


def noise(seed: int) -> bytes:
    """A PNG file that no other test has."""
    pixels = np.random.default_rng(seed).integers(0, 255, (64, 64, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_a_stream_answers_in_order_and_goes_on_after_a_bad_image(som: Client, photo: Path) -> None:
    answers = list(som.mark_stream([photo, b"no image", Kept(photo)], format="none"))
    good, bad, kept = answers
    assert isinstance(good, Marking) and isinstance(kept, Marking)
    assert good.marks == kept.marks
    assert isinstance(bad, Failure)
    assert bad.code == grpc.StatusCode.INVALID_ARGUMENT


def test_what_is_wrong_here_costs_its_image_alone(som: Client, photo: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone.png"
    answers = list(som.mark_stream([gone, photo, np.zeros(3), b"no image", gone], format="none"))
    kinds = [type(answer) for answer in answers]
    assert kinds == [Failure, Marking, Failure, Failure, Failure]
    here = [answer.error for answer in answers if isinstance(answer, Failure)]
    assert [type(error) for error in here] == [
        FileNotFoundError,
        ValueError,
        type(None),
        FileNotFoundError,
    ]
    assert str(gone) in answers[0].message


def test_an_exception_of_the_images_reaches_the_caller(som: Client, photo: Path) -> None:
    def images():
        yield photo
        yield photo
        raise LookupError("no more of them")

    answers = []
    with pytest.raises(LookupError, match="no more of them"):
        answers.extend(som.mark_stream(images(), format="none"))
    stream = som.mark_stream(images(), format="none")
    assert [type(next(stream)) for _ in range(2)] == [Marking, Marking]
    # The client goes on.
    assert som.segment(photo).regions


def test_a_stream_that_is_left_ends(som: Client, photo: Path) -> None:
    sent = 0

    def endless():
        nonlocal sent
        while True:
            sent += 1
            yield photo

    for number, _ in enumerate(som.mark_stream(endless(), format="none")):
        if number == 2:
            break
    # The server reads a few ahead, and no more.
    assert sent < 40


def frames(count: int) -> list[np.ndarray]:
    """A dark square that moves to the right over light ground."""
    pictures = np.full((count, 96, 160, 3), 220, np.uint8)
    for number, picture in enumerate(pictures):
        picture[30:60, 10 + 8 * number : 50 + 8 * number] = (40, 60, 160)
    return list(pictures)


def test_what_is_pointed_at_is_followed(som: Client) -> None:
    first, *others = frames(5)
    box = {"boxes": [{"x": 10, "y": 30, "width": 40, "height": 30}]}
    seen = list(som.track([Frame(first, hints={7: box}), *others], format="raw", count=5))
    assert [frame.index for frame in seen] == [0, 1, 2, 3, 4]
    for number, frame in enumerate(seen):
        assert list(frame.objects) == [7]
        assert frame.objects[7].bbox == (10 + 8 * number, 30, 40, 30)
        [mark] = frame.marks
        assert (mark.id, mark.color) == (7, seen[0].marks[0].color)
        assert frame.page is not None
        assert frame.page.pixels.shape[2] == 3
    forgotten = [Frame(first, hints={7: box}), Frame(others[0], hints={7: None})]
    assert [len(frame.objects) for frame in som.track(forgotten)] == [1, 0]


def test_a_session_ends_with_what_is_wrong(som: Client, tmp_path: Path) -> None:
    first, second = frames(2)
    with pytest.raises(SomError, match="the video's first was 160x96") as error:
        list(som.track([first, second[:50]]))
    assert error.value.code == grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(FileNotFoundError):
        list(som.track([first, tmp_path / "gone.png"]))
    with pytest.raises(SomError, match="nobody"):
        list(som.track([first], tracker="nobody"))


def test_the_catalogue(som: Client) -> None:
    classic = {segmenter.id: segmenter for segmenter in som.segmenters()}["classic"]
    assert {"automatic", "points", "boxes", "masks", "levels"} <= classic.capabilities
    assert "level" in classic.params_schema
    styles = {style.id for style in som.mark_styles()}
    assert styles == {"alphabet", "box", "contour", "mask", "number"}


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ({"segmenter": "clasic"}, grpc.StatusCode.NOT_FOUND, "clasic"),
        ({"styles": ["nmber"]}, grpc.StatusCode.NOT_FOUND, "nmber"),
        ({"params": {"level": 9}}, grpc.StatusCode.INVALID_ARGUMENT, "level"),
        ({"params": {"levle": 1}}, grpc.StatusCode.INVALID_ARGUMENT, "levle"),
    ],
)
def test_mistakes_are_named(som: Client, photo: Path, options, code, words) -> None:
    with pytest.raises(SomError) as error:
        som.mark(photo, **options)
    assert error.value.code == code
    assert words in error.value.message
    assert error.value.retry_after is None


def test_arrays_and_pillow_images_of_every_kind_are_taken(som: Client, photo: Path) -> None:
    rgb = pixels(photo)
    gray = np.asarray(Image.open(photo).convert("L"))
    opaque = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
    of_rgb = som.segment(rgb).regions
    for same in [rgb.astype(np.int64), opaque, Image.open(photo), Image.fromarray(opaque)]:
        assert som.segment(same).regions == of_rgb
    of_gray = som.segment(gray).regions
    for same in [gray[..., None], Image.fromarray(gray), np.dstack([gray] * 3)]:
        assert som.segment(same).regions == of_gray
    clear = np.zeros((20, 30, 4), np.uint8)
    assert som.mark(clear, format="raw", styles=["contour"]).size == (30, 20)
    white = requests.images.to_wire(clear).raw.pixels
    assert set(white) == {255}


@pytest.mark.parametrize(
    ("image", "error", "words"),
    [
        (np.zeros((4, 4, 2), np.uint8), ValueError, "whole numbers of shape"),
        (np.zeros((4, 4, 3), float), ValueError, "whole numbers of shape"),
        (np.full((4, 4), 256), ValueError, "from 0 to 255"),
        (7, TypeError, "an image is a path"),
        ("no/such/file.png", FileNotFoundError, "no/such/file.png"),
    ],
)
def test_what_is_no_image_is_refused_here(som: Client, image, error, words) -> None:
    with pytest.raises(error, match=words):
        som.segment(image)


def test_numbers_of_numpy_are_numbers(som: Client, photo: Path) -> None:
    point = {"x": np.int64(300), "y": np.float32(200), "label": np.uint8(1)}
    hints = {"points": [point]}
    regions = som.segment(photo, params={"hints": hints}).regions
    assert regions and all(region.mask[200, 300] for region in regions)
    marking = som.mark(photo, page_size=np.int64(5), params={"level": np.int32(2)})
    assert marking.params["level"] == 2 and len(marking.pages) > 1


def test_a_call_has_its_time(address: str, photo: Path) -> None:
    with Client(address, timeout=0.001) as client, pytest.raises(SomError) as error:
        client.mark(photo)
    assert error.value.code == grpc.StatusCode.DEADLINE_EXCEEDED


def test_nobody_there(photo: Path) -> None:
    with Client("127.0.0.1:1", timeout=5) as client, pytest.raises(SomError) as error:
        client.segment(photo)
    assert error.value.code == grpc.StatusCode.UNAVAILABLE


def test_compressed_calls_give_the_same(address: str, som: Client, photo: Path) -> None:
    with Client(Connection(address, compression=True)) as client:
        assert client.segment(photo).regions == som.segment(photo).regions


def test_an_answer_is_tied_to_regions(som: Client, photo: Path) -> None:
    heard: list[str] = []
    answer = som.ask([photo], "which region is red?", heard.append, format="png")
    assert (answer.lmm, answer.finish) == ("attributes", "stop")
    assert "".join(heard) == answer.text
    assert answer.mentions
    for mention in answer.mentions:
        [mark] = mention.marks
        assert (mention.status, mention.polarity) == ("resolved", "asserted")
        assert answer.text[slice(*mention.span)] == f"[{mark.text}]"
        assert mark.region.mask.sum() == mark.region.area
    [[page]] = answer.pages
    assert page.size == (600, 400)


def test_marks_of_a_question_are_numbered_on(som: Client, photo: Path) -> None:
    answer = som.ask([photo, Kept(photo)], "what is in {box:20,30,60,50}?", segmenter="classic")
    boxes = [mark.region.bbox for mark in answer.marks.values()]
    assert (20, 30, 60, 50) in boxes
    assert sorted(answer.marks) == list(range(1, len(boxes) + 1))
    assert [pages for pages in answer.pages if pages] == []


def test_tasks_find_regions(som: Client, photo: Path) -> None:
    answer = som.ask([photo], tasks.refer("the red region", "no such thing"), votes=2)
    red, nothing = answer.findings
    assert red.marks and red.agreement is not None
    assert nothing.marks == []
    described = som.ask([photo], tasks.describe(marks=[1, 2]))
    assert [[mark.id for mark in finding.marks] for finding in described.findings] == [[1], [2]]


def test_a_question_is_about_the_marks_that_were_asked_for(som: Client, photo: Path) -> None:
    answer = som.ask([photo], "which region is red?", max_marks=4, page_size=2, format="png")
    assert sorted(answer.marks) == [1, 2, 3, 4]
    assert [len(pages) for pages in answer.pages] == [2]


def test_a_prompt_has_a_template_or_words(som: Client, photo: Path) -> None:
    one_of = tasks.describe([1], ["cup", "table"])
    assert som.ask([photo], one_of, template="som-bench-labelling").findings
    assert som.ask([photo], "which region is red?", words="Look closely. {question}").text
    with pytest.raises(SomError, match="som-bench-labelling") as error:
        som.ask([photo], tasks.describe(), template="som-bench-labeling")
    assert error.value.code == grpc.StatusCode.NOT_FOUND
    with pytest.raises(SomError, match="no place for what is asked") as error:
        som.ask([photo], "which region is red?", words="som-bench-labelling")
    assert error.value.code == grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(ValueError, match="not both"):
        som.ask([photo], "what?", template="ask", words="{question}")


def test_own_regions_are_asked_about(som: Client, photo: Path) -> None:
    regions = som.segment(photo).regions[:3]
    answer = som.ask([photo, photo], "which region is red?", regions=[regions, None])
    assert [answer.marks[id].region.rle for id in (1, 2, 3)]
    assert {mark.region.rle["counts"] for mark in answer.marks.values()} >= {
        region.rle["counts"] for region in regions
    }
    with pytest.raises(ValueError, match="2 images, but regions for 1"):
        som.ask([photo, photo], "what?", regions=[regions])


def test_a_conversation_goes_on(som: Client, photo: Path) -> None:
    first = som.ask([photo], "which region is red?")
    again = som.ask(
        [photo],
        "which region is red?",
        history=[("which region is red?", first.text)],
        structured=False,
        max_rounds=1,
    )
    assert again.marks.keys() == first.marks.keys()
    assert (again.rounds, again.cut_short) == (1, "")
    assert again.timings_ms["answer"] >= 0


def test_rows_are_compared(som: Client, photo: Path) -> None:
    rows: list[Row] = [
        {"params": {"level": 1}},
        {"segmenter": "nobody"},
        {"max_marks": 3, "styles": ["number"]},
    ]
    found = {row.row: row for row in som.compare([photo], "which region is red?", rows)}
    assert sorted(found) == [0, 1, 2]
    assert isinstance(found[0].outcome, Answer) and found[0].segmenter == "classic"
    assert isinstance(found[1].outcome, Failure)
    assert found[1].outcome.code == grpc.StatusCode.NOT_FOUND
    assert sorted(found[2].marks) == [1, 2, 3] and found[2].took > 0


def test_models_and_health_are_told(som: Client) -> None:
    [model] = som.models()
    assert (model.name, model.provider, model.vision) == ("attributes", "attributes", True)
    assert som.health()
    with pytest.raises(SomError) as error:
        som.health("no.such.Service")
    assert error.value.code == grpc.StatusCode.NOT_FOUND


def test_health_is_told_by_name(som: Client) -> None:
    for name in ["som.v1.SomService", "som.v1.CatalogService", "classic"]:
        assert som.health(name), name


def test_addresses_are_those_of_the_command(address: str, photo: Path) -> None:
    for form in [f"http://{address}", f"http://{address}/"]:
        with Client(form) as client:
            assert client.segment(photo).regions
    assert Connection.to("https://somewhere:443") == Connection("somewhere:443", tls=True)
    assert Connection.to("unix:/run/som.sock").address == "unix:/run/som.sock"
    for wrong in ["ftp://somewhere:1", "http://"]:
        with pytest.raises(ValueError, match="not an address like"):
            Client(wrong)


def test_a_unix_socket_is_an_address(photo: Path, tmp_path: Path) -> None:
    listen = f"unix:{tmp_path / 'som.sock'}"
    with served(tmp_path, listen) as address, Client(address) as client:
        assert address == listen
        assert client.health()
        assert client.segment(photo).regions

        async def ask() -> bool:
            async with AsyncClient(address) as client:
                return bool((await client.segment(photo)).regions)

        assert asyncio.run(ask())


def test_channels_have_options(address: str, photo: Path) -> None:
    connection = Connection(
        address, keepalive=20, attempts=3, options=[("grpc.max_reconnect_backoff_ms", 500)]
    )
    with Client(connection, wait_for_ready=True) as client:
        assert client.segment(photo).regions
    nobody = Client("127.0.0.1:1", timeout=0.5, wait_for_ready=True)
    with nobody, pytest.raises(SomError) as error:
        nobody.segment(photo)
    # It waited for the server, and not in vain only because there was none.
    assert error.value.code == grpc.StatusCode.DEADLINE_EXCEEDED


def test_an_unknown_model_is_named(som: Client, photo: Path) -> None:
    with pytest.raises(SomError, match="nobody") as error:
        som.ask([photo], "what?", lmm="nobody")
    assert error.value.code == grpc.StatusCode.NOT_FOUND
