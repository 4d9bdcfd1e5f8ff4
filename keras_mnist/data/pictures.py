"""Pictures as Pillow opens them, hostile ones too: small enough, upright and grey, or refused in one line."""

from __future__ import annotations

import dataclasses
import io
import warnings

import numpy as np
from PIL import ExifTags, Image, ImageOps

from keras_mnist.errors import UsageError, first_line

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")
EXPECTED = "PNG, JPEG, GIF, BMP, WebP, TIFF, HEIC or IDX"
MOST_PIXELS = 64_000_000  # before anything is decoded
TOO_LARGE = f"a picture of more than {MOST_PIXELS // 10**6} million pixels; make it smaller"
LONGEST = 1024  # pixels of the longer side, from which on pictures are made smaller
HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture as it is looked at: in colour or grey, upright, and what was done to it."""

    image: Image.Image
    notes: tuple[str, ...] = ()

    @property
    def grey(self) -> np.ndarray:
        """(rows, columns) of 0..255."""
        return np.asarray(self.image.convert("L"), np.float64)


def open_picture(source: bytes | Image.Image) -> Picture:
    """A picture from a file's content, or one that Pillow has opened.

    Raises: UsageError if it is none, is damaged, or has more than MOST_PIXELS pixels.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            return _upright(_opened(source) if isinstance(source, bytes) else _bearable(source))
        except UsageError:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise UsageError(TOO_LARGE) from None
        except Image.UnidentifiedImageError:
            raise UsageError(f"not a picture, or damaged, expected {EXPECTED}") from None
        except Exception as error:  # Pillow's readers raise whatever damaged bytes lead them to
            raise UsageError(f"a damaged picture ({first_line(error)}); save it anew, as PNG for example") from error


def _opened(content: bytes) -> Image.Image:
    if not content:
        raise UsageError(f"empty, expected {EXPECTED}")
    if content[4:8] == b"ftyp" and content[8:12] in HEIC_BRANDS:
        return _heic(content)
    image = _bearable(Image.open(io.BytesIO(content), formats=FORMATS))
    image.draft(None, (LONGEST, LONGEST))  # a JPEG is decoded in an eighth of its size if that is enough
    return image


def _bearable(image: Image.Image) -> Image.Image:
    """A picture that is small enough to decode."""
    columns, rows = image.size
    if columns * rows > MOST_PIXELS:
        raise UsageError(TOO_LARGE)
    if not columns * rows:
        raise UsageError("a picture without pixels, expected one with a digit")
    return image


def _heic(content: bytes) -> Image.Image:
    try:
        import pillow_heif
    except ImportError:
        raise UsageError(
            'a HEIC picture, which needs the extra heic: pip install "keras-mnist[heic]", or save it as JPEG'
        ) from None
    pillow_heif.register_heif_opener()
    return _bearable(Image.open(io.BytesIO(content), formats=["HEIF"]))


def _upright(image: Image.Image) -> Picture:
    """A picture of a bearable size, without transparency, turned as its EXIF mark says."""
    frames = getattr(image, "n_frames", 1) if image.format != "MPO" else 1  # of an MPO the others are previews
    notes = [f"first of {frames} frames"] if frames > 1 else []
    if frames > 1:
        image.seek(0)
    image.load()
    turn = image.getexif().get(ExifTags.Base.Orientation, 1)
    image, found = _plain(image)
    image, smaller = _smaller(image)
    image, flat = _without_alpha(image)
    if turn in range(2, 9):
        image.getexif()[ExifTags.Base.Orientation] = turn
        image = ImageOps.exif_transpose(image)
        notes.append("turned upright")
    return Picture(image, (*notes, *found, *smaller, *flat))


def _plain(image: Image.Image) -> tuple[Image.Image, list[str]]:
    """A picture of 8 bits in grey, colour, or colour with transparency."""
    if image.mode.startswith("I") or image.mode == "F":
        image, _ = _smaller(image.convert("F"))  # before any arithmetic: a large one takes four bytes a pixel
        values = np.nan_to_num(np.asarray(image, np.float32), posinf=0, neginf=0)
        low, high = float(values.min()), float(values.max())
        values = (values - low) * (255 / (high - low)) if high > low else np.zeros_like(values)
        return Image.fromarray(values.astype(np.uint8)), [f"values {low:g} to {high:g} stretched"]
    if image.has_transparency_data:
        return image.convert("RGBA"), []
    if image.mode in ("L", "RGB"):
        return image, []
    return image.convert("L" if image.mode == "1" else "RGB"), ["CMYK in RGB"] * (image.mode == "CMYK")


def _smaller(image: Image.Image) -> tuple[Image.Image, list[str]]:
    times = -(-max(image.size) // LONGEST)
    return (image.reduce(times), [f"{times} times smaller"]) if times > 1 else (image, [])


def _without_alpha(image: Image.Image) -> tuple[Image.Image, list[str]]:
    """Lay what is transparent on a paper that its ink stands out from."""
    if image.mode != "RGBA":
        return image, []
    alpha = np.asarray(image.getchannel("A"))
    if not alpha.any():
        raise UsageError("nothing drawn: the picture is transparent everywhere")
    if alpha.min() == 255:
        return image.convert("RGB"), []
    grey = np.asarray(image.convert("RGB").convert("L"))
    if np.mean(alpha < 128) > 0.5:  # the strokes alone are there
        paper = 0 if np.average(grey, weights=alpha) >= 128 else 255
    else:  # the paper is there too, and fills what is missing
        paper = int(np.median(grey[alpha >= 128]))
    page = Image.new("RGBA", image.size, (paper, paper, paper, 255))
    page.alpha_composite(image)
    return page.convert("RGB"), [f"laid on {'black' if paper == 0 else 'white' if paper == 255 else 'grey'}"]
