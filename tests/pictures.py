"""Picture files of many kinds, made by their real encoders."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

COLORS = np.array([[[250, 20, 20], [20, 250, 20]], [[20, 20, 250], [230, 230, 40]], [[20, 20, 20], [240, 240, 240]]])


def quarters(height: int = 48, width: int = 32) -> np.ndarray:
    """An RGB picture of six colours in 3 x 2 rectangles: each of the eight orientations looks different."""
    return COLORS.astype(np.uint8).repeat(height // 3, axis=0).repeat(width // 2, axis=1)


def save(path: Path, image: np.ndarray | None = None, mode: str = 'RGB', **options) -> Path:
    """Writes a picture with Pillow, in the format of its suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(quarters() if image is None else image).convert(mode).save(path, **options)
    return path


def save_turned(path: Path, orientation: int, image: np.ndarray) -> Path:
    """Writes a picture that a viewer shows as ``image``, because EXIF says how to turn the stored one."""
    stored = {
        1: image,
        2: image[:, ::-1],
        3: image[::-1, ::-1],
        4: image[::-1],
        5: image.swapaxes(0, 1),
        6: np.rot90(image),
        7: np.rot90(image, 2).swapaxes(0, 1),
        8: np.rot90(image, 3),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossless = dict(lossless=True) if path.suffix == '.webp' else {}
    return save(path, np.ascontiguousarray(stored), exif=exif, **lossless)


def save_16_bit(path: Path, image: np.ndarray) -> Path:
    """Writes a picture with 16 bits a channel."""
    wide = image.astype(np.uint16) * 257
    assert cv2.imwrite(str(path), wide[..., ::-1] if wide.ndim == 3 else wide)
    return path


def save_truncated(path: Path) -> Path:
    """Writes the first half of a picture."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    whole = save(path, noise).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def save_video(path: Path, frames: int = 5, size: tuple[int, int] = (48, 64)) -> Path:
    """Writes a video of grey frames that become brighter by 40 each."""
    height, width = size
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'mp4v'), 10, (width, height))
    for index in range(frames):
        writer.write(np.full((height, width, 3), 40 * index, np.uint8))
    writer.release()
    assert path.stat().st_size > 0
    return path
