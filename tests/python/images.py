"""Writes image files of every kind into a folder, each with the pixels that Pillow sees in it.

usage: images.py FOLDER

manifest.json lists, for each file, its size, the greatest and the mean difference a decoder may
show, and next to the file lie the expected pixels (`.rgb`): upright, 8 bits, on white.
"""

import json
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

WIDTH, HEIGHT = 37, 23
EXACT, ROUNDED, LOSSY = (0, 0.0), (1, 0.6), (24, 2.0)

y, x = np.mgrid[:HEIGHT, :WIDTH]
RGB = np.stack([x * 6, y * 11, 255 - x * 3 - y * 4], axis=-1).astype(np.uint8)
ALPHA = ((x + y) * 255 // (WIDTH + HEIGHT - 2)).astype(np.uint8)


def main(folder):
    manifest = {}

    def add(name, pixels, tolerance):
        pixels = np.asarray(pixels)
        (folder / f"{name}.rgb").write_bytes(pixels.astype(np.uint8).tobytes())
        height, width, _ = pixels.shape
        manifest[name] = {"size": [width, height], "greatest": tolerance[0], "mean": tolerance[1]}

    def save(name, image, tolerance, **options):
        image.save(folder / name, **options)
        add(name, seen(Image.open(folder / name)), tolerance)

    rgb = Image.fromarray(RGB)
    rgba = Image.fromarray(np.dstack([RGB, ALPHA]))
    gray = rgb.convert("L")
    gray_alpha = Image.fromarray(np.dstack([np.asarray(gray), ALPHA]))
    palette = rgb.quantize(17)
    deep = Image.fromarray((x * 1771 + y * 59).astype(np.uint16))
    exif = {n: exif_orientation(n) for n in range(1, 9)}

    save("gray.png", gray, EXACT)
    save("bilevel.png", rgb.convert("1"), EXACT)
    save("gray-alpha.png", gray_alpha, ROUNDED)
    save("palette.png", palette, EXACT)
    save("palette-transparent.png", palette, ROUNDED, transparency=bytes(range(0, 255, 15)))
    save("key-transparent.png", rgb, EXACT, transparency=tuple(int(v) for v in RGB[3, 4]))
    save("rgb.png", rgb, EXACT)
    save("rgba.png", rgba, ROUNDED)
    save("gray16.png", deep, ROUNDED)
    wide = RGB.astype(np.uint16) * 256 + x[..., None].astype(np.uint16) * 6
    (folder / "rgb16.png").write_bytes(png16(wide, 2))
    add("rgb16.png", np.round(wide / 257), EXACT)
    wide_alpha = np.dstack([wide, ALPHA.astype(np.uint16) * 257])
    (folder / "rgba16.png").write_bytes(png16(wide_alpha, 6))
    opacity = wide_alpha[..., 3:] / 65535
    add("rgba16.png", np.round((wide * opacity + 65535 * (1 - opacity)) / 257), ROUNDED)

    save("rgb.jpg", rgb, LOSSY, quality=95, subsampling=0)
    save("halved.jpg", rgb, LOSSY, quality=90, subsampling=2)
    save("progressive.jpg", rgb, LOSSY, quality=90, progressive=True)
    save("gray.jpg", gray, LOSSY, quality=95)
    save("cmyk.jpg", rgb.convert("CMYK"), LOSSY, quality=95)
    save("restart.jpg", rgb, LOSSY, quality=90, restart_marker_rows=1)

    save("lossy.webp", rgb, LOSSY, quality=90)
    save("lossless.webp", rgb, EXACT, lossless=True)
    save("alpha.webp", rgba, ROUNDED, lossless=True, exact=True)
    save("animated.webp", rgb, EXACT, lossless=True, save_all=True, append_images=[ImageOps.invert(rgb)])

    save("rgb.bmp", rgb, EXACT)
    save("gray.bmp", gray, EXACT)
    save("palette.bmp", palette, EXACT)
    save("bilevel.bmp", rgb.convert("1"), EXACT)

    save("palette.gif", palette, EXACT)
    save("transparent.gif", palette, EXACT, transparency=3)
    save("animated.gif", palette, EXACT, save_all=True, append_images=[ImageOps.invert(rgb).quantize(9)])

    save("rgb.tiff", rgb, EXACT)
    save("lzw.tiff", rgb, EXACT, compression="tiff_lzw")
    save("deflate.tiff", rgb, EXACT, compression="tiff_adobe_deflate")
    save("packbits.tiff", rgb, EXACT, compression="packbits")
    save("gray.tiff", gray, EXACT)
    save("gray16.tiff", deep, ROUNDED)
    save("rgba.tiff", rgba, ROUNDED)
    save("pages.tiff", rgb, EXACT, save_all=True, append_images=[ImageOps.invert(rgb)])

    for n in exif:
        save(f"orientation{n}.jpg", rgb, LOSSY, quality=95, subsampling=0, exif=exif[n])
        save(f"orientation{n}.png", rgb, EXACT, exif=exif[n])
        save(f"orientation{n}.webp", rgb, EXACT, lossless=True, exif=exif[n])
        save(f"orientation{n}.tiff", rgb, EXACT, exif=exif[n])

    (folder / "manifest.json").write_text(json.dumps(manifest))


def seen(image):
    """What a viewer shows."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        gray = np.round(np.asarray(image) / 257)
        return np.stack([gray] * 3, axis=-1)
    if image.mode in ("LA", "RGBA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def exif_orientation(n):
    exif = Image.Exif()
    exif[0x0112] = n
    return exif


def png16(pixels, color_type):
    """A PNG of 16 bits a channel, which Pillow does not write in colour."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, color_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
