"""Writes odd image files into a folder: kinds x depths x colours x interlace x damage.

usage: zoo.py FOLDER

manifest.json lists, for each file, whether Pillow opens it, the greatest and the mean difference a
decoder may show, and the kinds of notes that som should give. Next to a file that Pillow opens lie
the pixels that are seen (`.rgb`), as `images.py` explains.
"""

import io
import json
import struct
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
from images import ALPHA, EXACT, HEIGHT, LOSSY, RGB, ROUNDED, WIDTH, seen, x, y
from PIL import Image

FILM = b"\0\0\0\x18ftypmp42" + bytes(range(200)) * 20


def main(folder):
    manifest = {}
    warnings.simplefilter("ignore")

    def add(name, data, tolerance=EXACT, notes=()):
        assert name not in manifest, name
        (folder / name).write_bytes(data)
        entry = {"greatest": tolerance[0], "mean": tolerance[1], "notes": list(notes)}
        try:
            image = Image.open(io.BytesIO(data))
            pixels = np.asarray(seen(image)).astype(np.uint8)
            if image.convert("RGBA").getchannel("A").getextrema()[0] < 255:
                entry["notes"].append("transparency")
            if getattr(image, "n_frames", 1) > 1:
                entry["notes"].append("further_frames")
            (folder / f"{name}.rgb").write_bytes(pixels.tobytes())
            entry["size"] = [pixels.shape[1], pixels.shape[0]]
        except Exception as error:
            entry["size"] = None
            entry["refusal"] = str(error)
        manifest[name] = entry

    pngs(add)
    jpegs(add)
    tiffs(add)
    others(add)
    turned(add)
    (folder / "manifest.json").write_text(json.dumps(manifest))


# PNG ---------------------------------------------------------------------------------------------

NAMES = {0: "gray", 2: "rgb", 3: "palette", 4: "gray-alpha", 6: "rgba"}
KINDS = [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 2), (3, 4), (3, 8)]
KINDS += [(4, 8), (4, 16), (6, 8), (6, 16)]
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def pngs(add):
    for color, depth in KINDS:
        for interlace in (0, 1):
            chunks = png(color, depth, interlace)
            base = f"png-{NAMES[color]}-{depth}{'-interlaced' if interlace else ''}"
            tolerance = EXACT if color in (2, 3) or depth < 16 and color == 0 else ROUNDED
            if color == 2 and depth == 16:
                # Pillow cuts the lower byte off.
                tolerance = ROUNDED

            def put(damage, parts, notes=(), after=b""):
                add(f"{base}-{damage}.png", join(parts) + after, tolerance, notes)

            put("whole", chunks)
            put("endless", chunks[:-1], ["end_missing"])
            put("wrong_crc", [part if part[0] != b"IDAT" else (*part, 7) for part in chunks], ["wrong_checksum"])
            put("film", chunks, after=FILM)
            half = [part if part[0] != b"IDAT" else (b"IDAT", part[1][: len(part[1]) // 2]) for part in chunks]
            put("half", half)
            whole = join(chunks)
            add(f"{base}-cut.png", whole[: len(whole) // 2], tolerance)
    chunks = png(2, 8, 0)
    data = chunks[1][1]
    pieces = [(b"IDAT", data[i : i + 50]) for i in range(0, len(data), 50)]
    add("png-pieces.png", join([chunks[0], *pieces, chunks[2]]))
    add("png-pieces-endless.png", join([chunks[0], *pieces]), notes=["end_missing"])
    add("png-end_cut.png", join(chunks)[:-5], notes=["end_missing"])
    add("png-end_checksum_missing.png", join(chunks)[:-4])
    add("png-end_wrong_crc.png", join([*chunks[:2], (b"IEND", b"", 1)]))
    add("png-header_wrong_crc.png", join([(*chunks[0], 1), *chunks[1:]]), notes=["wrong_checksum"])
    text = (b"tEXt", b"Comment\0hello")
    add("png-text_wrong_crc.png", join([chunks[0], (*text, 5), *chunks[1:]]), notes=["wrong_checksum"])
    add("png-adler_wrong.png", join([chunks[0], (b"IDAT", data[:-1] + b"x"), chunks[2]]))
    add("png-adler_missing.png", join([chunks[0], (b"IDAT", data[:-4]), chunks[2]]))
    add("png-gamma.png", join([chunks[0], (b"gAMA", struct.pack(">I", 45455)), *chunks[1:]]))
    add("png-unknown.png", join([chunks[0], (b"zzZz", b"?"), *chunks[1:]]))
    palette = png(3, 8, 0)
    add("png-palette_wrong_crc.png", join([palette[0], (*palette[1], 3), *palette[2:]]), notes=["wrong_checksum"])
    add("png-palette_missing.png", join([palette[0], *palette[2:]]))
    add("png-palette-opacity.png", join([*palette[:2], (b"tRNS", bytes(range(0, 256, 16))), *palette[2:]]), ROUNDED)
    add("png-gray-key.png", join([png(0, 8, 0)[0], (b"tRNS", struct.pack(">H", 90)), *png(0, 8, 0)[1:]]))
    add("png-data_missing.png", join([chunks[0], chunks[2]]))
    add("png-signature_alone.png", join([]))


def png(color, depth, interlace):
    """The chunks of a PNG."""
    white = 2**depth - 1
    gray = (x * 5 + y * 3) * white // 255
    channels = {
        0: [gray],
        2: [RGB[..., c].astype(int) * white // 255 for c in range(3)],
        3: [(x + y) % min(16, 2**depth)],
        4: [gray, ALPHA.astype(int) * white // 255],
        6: [RGB[..., c].astype(int) * white // 255 for c in range(3)] + [ALPHA.astype(int) * white // 255],
    }[color]
    pixels = np.stack(channels, axis=-1)
    if interlace:
        parts = [pixels[y0::dy, x0::dx] for x0, y0, dx, dy in PASSES]
        rows = [row for part in parts if part.shape[1] for row in part]
    else:
        rows = list(pixels)
    data = zlib.compress(b"".join(b"\0" + packed(row, depth) for row in rows))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, color, 0, 0, interlace))]
    if color == 3:
        colors = [(i * 15, 255 - i * 11, i * 7 % 256) for i in range(min(16, 2**depth))]
        chunks.append((b"PLTE", bytes(v for c in colors for v in c)))
    return [*chunks, (b"IDAT", data), (b"IEND", b"")]


def packed(row, depth):
    """A row of samples, the first in the highest bits."""
    if depth == 16:
        return row.astype(">u2").tobytes()
    bits = (row.reshape(-1, 1) >> np.arange(depth)[::-1]) & 1
    return np.packbits(bits.astype(np.uint8).ravel()).tobytes()


def join(chunks):
    """A PNG; a third part of a chunk spoils its checksum."""

    def chunk(kind, data, spoil=0):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) ^ spoil)

    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in chunks)


# JPEG --------------------------------------------------------------------------------------------


def jpegs(add):
    rgb, gray = Image.fromarray(RGB), Image.fromarray(RGB).convert("L")
    bases = {
        "full": (rgb, {"quality": 95, "subsampling": 0}),
        "halved": (rgb, {"quality": 90, "subsampling": 2}),
        "across": (rgb, {"quality": 90, "subsampling": 1}),
        "optimized": (rgb, {"quality": 90, "optimize": True}),
        "progressive": (rgb, {"quality": 90, "progressive": True}),
        "restart": (rgb, {"quality": 90, "restart_marker_rows": 1}),
        "gray": (gray, {"quality": 95}),
        "gray-progressive": (gray, {"quality": 95, "progressive": True}),
        "cmyk": (rgb.convert("CMYK"), {"quality": 95}),
    }
    for base, (image, options) in bases.items():
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", **options)
        whole = buffer.getvalue()
        assert whole.endswith(b"\xff\xd9")
        scan = whole.rindex(b"\xff\xda")
        tables = whole.index(b"\xff\xdb")
        data = whole.index(b"\xff\xda")

        def put(damage, data, notes=()):
            add(f"jpeg-{base}-{damage}.jpg", data, LOSSY, notes)

        put("whole", whole)
        put("stray", whole[:scan] + b"\0\x12\x34" + whole[scan:], ["stray_bytes"])
        put("stray_one", whole[:tables] + b"\x07" + whole[tables:], ["stray_bytes"])
        put("filled", whole[:tables] + b"\xff" * 5 + whole[tables:])
        put("endless", whole[:-2], ["end_missing"])
        put("half_end", whole[:-1], ["end_missing"])
        put("film", whole + FILM)
        put("endless_film", whole[:-2] + FILM, ["end_missing"])
        put("stray_endless", whole[:scan] + b"\0\x12\x34" + whole[scan:-2], ["stray_bytes", "end_missing"])
        put("half", whole[: (scan + len(whole)) // 2])
        put("row_missing", whole[: data + (len(whole) - data) * 9 // 10])
        if "progressive" in base:
            put("scan_missing", whole[:scan])
    add("jpeg-start_alone.jpg", b"\xff\xd8\xff")
    add("jpeg-header_alone.jpg", whole[: whole.index(b"\xff\xda")])


# TIFF --------------------------------------------------------------------------------------------

SHORT, LONG = 3, 4


def tiffs(add):
    gray8 = x * 5 + y * 3
    for order in "<>":
        end = "" if order == "<" else "-big"
        for bits in (1, 2, 4, 8):
            gray = gray8 * (2**bits - 1) // 255
            rows = b"".join(packed(row, bits) for row in gray)
            add(f"tiff-gray-{bits}{end}.tif", tiff(order, [bits], 1, rows))
            add(f"tiff-gray-{bits}-white_is_zero{end}.tif", tiff(order, [bits], 0, rows))
            index = (x + y) % 2**bits
            rows = b"".join(packed(row, bits) for row in index)
            colors = np.array([[i * 73 % 256, 255 - i * 11 % 256, i * 7 % 256] for i in range(2**bits)])
            tags = {320: (SHORT, (colors.T * 257).ravel())}
            add(f"tiff-palette-{bits}{end}.tif", tiff(order, [bits], 3, rows, tags))
            tags = {320: (SHORT, colors.T.ravel())}
            add(f"tiff-palette-{bits}-of_bytes{end}.tif", tiff(order, [bits], 3, rows, tags))
        for kind, form, scale, name in [
            ("f4", 3, 1 / 255, "floats"),
            ("f4", 3, 1, "floats_of_bytes"),
            ("f4", 3, -7.5, "floats_below"),
            ("f8", 3, 1 / 255, "doubles"),
            ("f2", 3, 1 / 255, "halves"),
            ("u4", 1, 1, "u32"),
            ("u4", 1, 257, "u32_of_words"),
            ("i4", 2, 1, "i32"),
            ("i2", 2, 1, "i16"),
            ("i1", 2, 0.4, "i8"),
            ("u2", 1, 257, "u16"),
        ]:
            values = (gray8 * scale).astype(order + kind)
            tags = {339: (SHORT, [form])}
            notes = [] if kind == "u2" else ["white_chosen"]
            bits = 8 * values.dtype.itemsize
            add(f"tiff-{name}{end}.tif", tiff(order, [bits], 1, values.tobytes(), tags), ROUNDED, notes)
        twelve = (gray8 * 16).astype(order + "u2")
        add(f"tiff-twelve{end}.tif", tiff(order, [16], 1, twelve.tobytes()), ROUNDED, ["narrow_range"])
        floats = (RGB / 255).astype(order + "f4")
        tags = {339: (SHORT, [3, 3, 3])}
        add(f"tiff-rgb-floats{end}.tif", tiff(order, [32] * 3, 2, floats.tobytes(), tags), ROUNDED, ["white_chosen"])
        planes = np.moveaxis(RGB, -1, 0).tobytes()
        add(f"tiff-rgb-planes{end}.tif", tiff(order, [8] * 3, 2, planes, {284: (SHORT, [2])}))
        add(f"tiff-rgb{end}.tif", tiff(order, [8] * 3, 2, RGB.tobytes()))
        add(f"tiff-rgb-cut{end}.tif", tiff(order, [8] * 3, 2, RGB.tobytes())[:-900])
        pair = np.dstack([gray8, ALPHA]).astype(np.uint8)
        add(f"tiff-gray-alpha{end}.tif", tiff(order, [8] * 2, 1, pair.tobytes(), {338: (SHORT, [2])}), ROUNDED)
    rgb = Image.fromarray(RGB)
    palette = rgb.quantize(17)
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "tiff_deflate"):
        for mode, image in [("rgb", rgb), ("palette", palette), ("gray", rgb.convert("L")), ("cmyk", rgb.convert("CMYK"))]:
            if compression == "jpeg" and mode == "palette":
                continue
            tolerance = LOSSY if compression == "jpeg" else EXACT
            add(f"tiff-{mode}-{compression}.tif", saved(image, "TIFF", compression=compression), tolerance)
    for compression in ("group3", "group4", "tiff_ccitt", "tiff_lzw"):
        add(f"tiff-bilevel-{compression}.tif", saved(rgb.convert("1"), "TIFF", compression=compression))
    whole = saved(palette, "TIFF", compression="tiff_lzw")
    add("tiff-palette-half.tif", whole[: len(whole) // 2])
    add("tiff-lab.tif", saved(Image.merge("LAB", [rgb.convert("L")] * 3), "TIFF"))


def tiff(order, bits, photometric, data, more={}):
    """A TIFF of one strip, or of one strip for each plane."""
    planes = len(bits) if 284 in more else 1
    tags = {
        256: (LONG, [WIDTH]),
        257: (LONG, [HEIGHT]),
        258: (SHORT, bits),
        259: (SHORT, [1]),
        262: (SHORT, [photometric]),
        273: (LONG, [0] * planes),
        277: (SHORT, [len(bits)]),
        278: (LONG, [HEIGHT]),
        279: (LONG, [len(data) // planes] * planes),
        **more,
    }
    forms = {SHORT: "H", LONG: "I"}
    values = {tag: b"".join(struct.pack(order + forms[kind], int(v)) for v in numbers) for tag, (kind, numbers) in tags.items()}
    behind = 8 + 2 + 12 * len(tags) + 4
    start = behind + sum(len(v) for v in values.values() if len(v) > 4)
    values[273] = b"".join(struct.pack(order + "I", start + i * (len(data) // planes)) for i in range(planes))
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(tags))
    tail = b""
    for tag in sorted(tags):
        kind, numbers = tags[tag]
        head += struct.pack(order + "HHI", tag, kind, len(numbers))
        if len(values[tag]) > 4:
            head += struct.pack(order + "I", behind + len(tail))
            tail += values[tag]
        else:
            head += values[tag].ljust(4, b"\0")
    return head + b"\0" * 4 + tail + data


# The others --------------------------------------------------------------------------------------


def others(add):
    rgb = Image.fromarray(RGB)
    rgba = Image.fromarray(np.dstack([RGB, ALPHA]))
    palette = rgb.quantize(17)
    wholes = {
        "webp-lossy": (saved(rgb, "WEBP", quality=90), LOSSY),
        "webp-lossless": (saved(rgb, "WEBP", lossless=True), EXACT),
        "webp-alpha": (saved(rgba, "WEBP", lossless=True, exact=True), ROUNDED),
        "gif-palette": (saved(palette, "GIF"), EXACT),
        "gif-interlaced": (saved(palette, "GIF", interlace=1), EXACT),
        "gif-plain": (saved(palette, "GIF", interlace=0), EXACT),
        "bmp-rgb": (saved(rgb, "BMP"), EXACT),
        "bmp-palette": (saved(palette, "BMP"), EXACT),
        "bmp-bilevel": (saved(rgb.convert("1"), "BMP"), EXACT),
        "bmp-rgba": (saved(rgba, "BMP"), ROUNDED),
    }
    for name, (whole, tolerance) in wholes.items():
        end = name.split("-")[0]
        add(f"{name}-whole.{end}", whole, tolerance)
        add(f"{name}-film.{end}", whole + FILM, tolerance)
        add(f"{name}-half.{end}", whole[: len(whole) // 2], tolerance)
        add(f"{name}-head.{end}", whole[:20], tolerance)
    plain = saved(palette, "GIF")
    add("gif-endless.gif", plain[:-1])
    add("gif-block_end_missing.gif", plain[:-2])


def turned(add):
    """Orientations that are not written as they should be."""
    rgb = Image.fromarray(RGB)
    for value in (1, 3, 6, 8):
        notes = [] if value == 1 else ["odd_orientation"]
        for order in "<>":
            end = "" if order == "<" else "-big"
            mark = b"II*\0" if order == "<" else b"MM\0*"
            exif = mark + struct.pack(order + "IHHHIII", 8, 1, 0x112, LONG, 1, value, 0)
            for kind, options, tolerance in [
                ("jpeg", {"quality": 95, "subsampling": 0}, LOSSY),
                ("png", {}, EXACT),
                ("webp", {"lossless": True}, EXACT),
            ]:
                data = saved(rgb, kind.upper(), exif=b"Exif\0\0" + exif, **options)
                add(f"turned-{value}{end}.{kind}", data, tolerance, notes)
            data = tiff(order, [8] * 3, 2, RGB.tobytes(), {274: (LONG, [value])})
            add(f"turned-{value}{end}.tif", data, EXACT, notes)
    exif = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x112, SHORT, 1, 6, 0)
    webp = saved(rgb, "WEBP", lossless=True, exif=exif)
    add("turned-short.webp", webp)


def saved(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
