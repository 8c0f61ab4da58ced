"""Digit Scenes: a small and hard segmentation data set that is drawn on the user's machine, without a download.

The digits are handwritten (8 x 8 pixels, scikit-learn's copy of the UCI "Optical Recognition of Handwritten Digits").
They lie at random size, angle and contrast on crops of photographs from the scikit-learn and scikit-image wheels. Some
digits look alike (3 and 8, 1 and 7, 4 and 9): reverse attention is made for such classes. The splits share no writing
sample and no photograph.

The scenes are synthetic. A score on them compares models on one machine, and says nothing about real data sets.

Shapes: H x W a scene, N writing samples.
"""

import json
import tempfile
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from mmseg.datasets import BaseSegDataset

from mmrev.errors import DataError
from mmrev.registry import DATASETS

# They are read as files, because the functions of skimage.data may download a picture that a wheel does not contain.
PHOTOS = {
    'train': (
        'sklearn/datasets/images/china.jpg',
        'skimage/data/astronaut.png',
        'skimage/data/brick.png',
        'skimage/data/chelsea.png',
        'skimage/data/coins.png',
        'skimage/data/grass.png',
        'skimage/data/hubble_deep_field.jpg',
        'skimage/data/ihc.png',
        'skimage/data/motorcycle_left.png',
        'skimage/data/retina.jpg',
    ),
    'val': (
        'sklearn/datasets/images/flower.jpg',
        'skimage/data/camera.png',
        'skimage/data/coffee.png',
        'skimage/data/gravel.png',
        'skimage/data/rocket.jpg',
    ),
}
# Neighbours in the file have the same writer. A split in order keeps the writers apart, a shuffle would not.
DIGITS = {'train': slice(0, 1347), 'val': slice(1347, 1797)}
MARKER = 'digit_scenes.json'
VERSION = 2  # of the drawing; a folder of another version is drawn anew


@DATASETS.register_module()
class DigitScenesDataset(BaseSegDataset):
    """The scenes of :func:`generate`: background (0) and the digits 0 to 9 (1 to 10). No pixel is ignored.

    Example:
        >>> len(DigitScenesDataset.METAINFO['classes'])
        11
    """

    METAINFO = dict(
        classes=('background', *'0123456789'),
        palette=[
            [0, 0, 0],
            [230, 25, 75],
            [60, 180, 75],
            [255, 225, 25],
            [0, 130, 200],
            [245, 130, 48],
            [145, 30, 180],
            [70, 240, 240],
            [240, 50, 230],
            [128, 128, 0],
            [170, 255, 195],
        ],
    )

    def __init__(self, img_suffix: str = '.png', seg_map_suffix: str = '.png', **kwargs) -> None:
        super().__init__(img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)


def generate(
    root: str | Path, *, num_train: int = 2000, num_val: int = 200, size: tuple[int, int] = (128, 128), seed: int = 0
) -> Path:
    """Draws the data set into ``root``: {images,annotations}/{train,val}/00000.png.

    If ``root`` already holds this data set, nothing happens. If it holds the data set with other arguments, it is
    replaced. ``root`` appears when all scenes are drawn. A scene depends only on the seed, the size, its split and its
    index, so the first scenes of a larger data set equal those of a smaller one.

    Args:
        root: The folder.
        num_train: The number of training scenes.
        num_val: The number of validation scenes.
        size: H and W.
        seed: The seed of all scenes.

    Returns:
        ``root``.

    Raises:
        DataError: scikit-learn or scikit-image is missing, or ``root`` holds something else.

    Example:
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     root = generate(Path(folder, 'data'), num_train=1, num_val=1, size=(32, 32))
        ...     sorted(path.name for path in root.iterdir())
        ['annotations', 'digit_scenes.json', 'images']
    """
    root, counts = Path(root), dict(train=num_train, val=num_val)
    params = dict(version=VERSION, **counts, size=list(size), seed=seed)
    if min(*counts.values(), *size) < 1:
        raise DataError(f'Digit Scenes needs counts and sizes of at least 1, got {counts} and {size}; give larger ones')
    marker = root / MARKER
    if marker.is_file():
        if json.loads(marker.read_text()) == params:
            return root
    elif root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise DataError(f'{root} is no Digit Scenes folder (it has no {MARKER}) and is kept; give a new folder')
    sources = {split: (_load_photos(split), *_load_digits(split)) for split in counts}
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.parent, prefix=f'.{root.name}.') as folder:
        new = Path(folder, 'new')
        _write(new, counts, sources, size, seed)
        Path(new, MARKER).write_text(json.dumps(params))
        if root.exists():
            root.rename(Path(folder, 'old'))
        new.rename(root)
    return root


def _write(root: Path, counts: dict, sources: dict, size: tuple[int, int], seed: int) -> None:
    from tqdm import tqdm  # no OpenMMLab package requires it

    with tqdm(total=sum(counts.values()), desc='Digit Scenes', unit='image') as progress:
        for split_index, (split, count) in enumerate(counts.items()):
            photos, digits, labels = sources[split]
            folders = [root / kind / split for kind in ('images', 'annotations')]
            for folder in folders:
                folder.mkdir(parents=True)
            for index in range(count):
                scene = draw_scene(np.random.default_rng([seed, split_index, index]), photos, digits, labels, size)
                for folder, array in zip(folders, scene, strict=True):
                    # cv2.imwrite returns False on a full disk, write_bytes raises
                    (folder / f'{index:05d}.png').write_bytes(cv2.imencode('.png', array)[1].tobytes())
                progress.update()


def _package_folder(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise DataError(f"Digit Scenes draws on pictures inside {name}, which is missing: pip install 'mmrev[demo]'")
    return Path(spec.origin).parent


def _load_photos(split: str) -> list[np.ndarray]:
    """Returns the photographs of one split, BGR, of different sizes."""
    photos = []
    for name in PHOTOS[split]:
        package, rest = name.split('/', 1)
        path = _package_folder(package) / rest
        photo = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None
        if photo is None:
            raise DataError(f"{path} is not the picture that Digit Scenes expects: pip install 'mmrev[demo]'")
        photos.append(photo)
    return photos


def _load_digits(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns the writing samples of one split: ink [N, 8, 8] from 0 to 1, and digit [N]."""
    _package_folder('sklearn')
    from sklearn.datasets import load_digits

    data = load_digits()
    return data.images[DIGITS[split]] / 16, data.target[DIGITS[split]]


def draw_scene(
    rng: np.random.Generator, photos: list[np.ndarray], digits: np.ndarray, labels: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Draws one scene. A later digit lies over an earlier one.

    Args:
        rng: The source of all randomness.
        photos: Photographs, BGR.
        digits: Ink [N, 8, 8] from 0 to 1.
        labels: Digits [N].
        size: H and W.

    Returns:
        The BGR image [H, W, 3] and its mask [H, W], both uint8.

    Example:
        >>> ink, grey = np.ones((1, 8, 8)), np.full((64, 64, 3), 128, np.uint8)
        >>> image, mask = draw_scene(np.random.default_rng(0), [grey], ink, np.array([7]), (32, 48))
        >>> image.shape, np.unique(mask).tolist()
        ((32, 48, 3), [0, 8])
    """
    image = _background(rng, photos[rng.integers(len(photos))], size)
    mask = np.zeros(size, np.uint8)
    for y, x, side in _places(rng, size):
        sample = rng.integers(len(digits))
        alpha = _stroke(rng, digits[sample], (y, x), side, size)
        image += rng.uniform(0.8, 1) * alpha[..., None] * (_ink(rng, image, alpha) - image)
        mask[alpha > 0.5] = labels[sample] + 1
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.1, 0.9))
    image = image + rng.normal(0, rng.uniform(0, 6), image.shape)
    return image.round().clip(0, 255).astype(np.uint8), mask


def _background(rng: np.random.Generator, photo: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Crops the photograph, shrinks it by up to 2.5, mirrors it or not, and adds a slight colour cast."""
    room = min(photo.shape[0] / size[0], photo.shape[1] / size[1])
    shrink = rng.uniform(min(1, room), min(2.5, room))
    h, w = (max(1, int(shrink * length)) for length in size)
    y, x = rng.integers(photo.shape[0] - h + 1), rng.integers(photo.shape[1] - w + 1)
    crop = cv2.resize(photo[y : y + h, x : x + w], size[::-1], interpolation=cv2.INTER_AREA)
    return crop[:, :: rng.choice((-1, 1))] * rng.uniform(0.8, 1.2, 3)


def _places(rng: np.random.Generator, size: tuple[int, int]) -> list[tuple[float, float, float]]:
    """Places two to six digits: centre and side in pixels. Digits may overlap, but none covers another."""
    places: list[tuple[float, float, float]] = []
    wanted = rng.integers(2, 7)
    for _ in range(30):
        side = min(size) * rng.uniform(0.25, 0.6)
        y, x = (rng.uniform(0.45 * side, length - 0.45 * side) for length in size)
        if all(np.hypot(y - v, x - u) > 0.35 * (side + s) for v, u, s in places):
            places.append((y, x, side))
        if len(places) == wanted:
            break
    return places


def _stroke(
    rng: np.random.Generator, digit: np.ndarray, centre: tuple[float, float], side: float, size: tuple[int, int]
) -> np.ndarray:
    """Returns the opacity [H, W] from 0 to 1 of a slanted digit. It is turned by up to 25 degrees, so 6 and 9 differ.

    The edge of the stroke is where the spline through the ink crosses 0.4. The opacity there is 0.5.
    """
    from scipy.ndimage import affine_transform

    angle = np.deg2rad(rng.uniform(-25, 25))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shape = np.array([[1, 0], [rng.uniform(-0.2, 0.2), rng.uniform(0.8, 1.1)]])
    matrix = shape @ turn * len(digit) / side
    offset = (len(digit) - 1) / 2 - matrix @ centre
    ink = affine_transform(digit, matrix, offset, size, order=3, mode='grid-constant')
    return ((ink - 0.25) / 0.3).clip(0, 1)


def _ink(rng: np.random.Generator, image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Returns a colour [3] that differs from the pixels under the stroke by 90 to 200 grey levels (RMS of channels)."""
    under = np.average(image, axis=(0, 1), weights=np.broadcast_to(alpha[..., None], image.shape))
    lighter = rng.uniform(64, 192) > under.mean()  # a dark background leaves more room above, a light one below
    direction = (1 if lighter else -1) + rng.normal(0, 0.7, 3)
    contrast = rng.uniform(90, 200)
    return (under + contrast * direction / np.sqrt(np.mean(direction**2))).clip(0, 255)
