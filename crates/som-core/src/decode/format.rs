//! What formats are called, and what bytes look like that are none of those som reads.

use image::ImageFormat;

use crate::Error;

/// What an image of this format is called.
pub(super) const fn name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Png => "PNG image",
        ImageFormat::Jpeg => "JPEG image",
        ImageFormat::WebP => "WebP image",
        ImageFormat::Bmp => "BMP image",
        ImageFormat::Gif => "GIF image",
        ImageFormat::Tiff => "TIFF image",
        _ => "image",
    }
}

/// The refusal of bytes that are none of the formats, naming what they look like.
pub(super) fn unknown(bytes: &[u8]) -> Error {
    const READ: &str = "PNG, JPEG, WebP, BMP, GIF or TIFF";
    if bytes.is_empty() {
        return Error::invalid("the image is empty: there are 0 bytes");
    }
    let looks = match bytes {
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match iso_media(brand) {
            Media::Avif => {
                return Error::unsupported(
                    "this is an AVIF image, which som does not read: its decoders need a system \
                     library, or come under a licence that som cannot pass on (convert it: \
                     avifdec a.avif a.png, or magick a.avif a.png)",
                );
            }
            Media::Heic => {
                return Error::unsupported(
                    "this is a HEIC image, as telephones take them, which som does not read: its \
                     decoders need a system library (convert it: heif-convert a.heic a.jpg, or on \
                     macOS sips -s format jpeg a.heic --out a.jpg)",
                );
            }
            Media::Video => "a video",
        },
        [0xff, 0x0a, ..] | [0, 0, 0, 0x0c, b'J', b'X', b'L', ..] => "a JPEG XL image",
        [0, 0, 0, 0x0c, b'j', b'P', ..] => "a JPEG 2000 image",
        [b'8', b'B', b'P', b'S', ..] => "a Photoshop document",
        [b'%', b'P', b'D', b'F', ..] => "a PDF document",
        [b'P', b'K', ..] => "an archive or office document",
        text if text.trim_ascii_start().starts_with(b"<") => "an SVG, HTML or XML text",
        _ => return Error::invalid(format!("the bytes are no image that som reads: {READ}")),
    };
    Error::unsupported(format!("this looks like {looks} (convert it to {READ})"))
}

/// What a file of the ISO base media format holds.
enum Media {
    Avif,
    Heic,
    Video,
}

/// By the brands that a file gives itself (ISO/IEC 14496-12, 4.3): the main one first, then four
/// bytes of version, then those it is compatible with.
fn iso_media(brands: &[u8]) -> Media {
    // The list ends where its box does; a few brands are enough to know.
    const LOOKED_AT: usize = 12;
    let brands = brands.as_chunks::<4>().0;
    let brands = brands.iter().take(LOOKED_AT);
    let of_images = brands.clone().find_map(|brand| match brand {
        b"avif" | b"avis" => Some(Media::Avif),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => Some(Media::Heic),
        _ => None,
    });
    // Images of a kind that is not named are mostly HEVC.
    let is_image = |brand: &[u8; 4]| matches!(brand, b"mif1" | b"msf1");
    of_images.unwrap_or_else(|| match brands.clone().any(is_image) {
        true => Media::Heic,
        false => Media::Video,
    })
}
