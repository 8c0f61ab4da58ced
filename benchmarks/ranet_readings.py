"""Measures how readings of RANet's equations 1 to 4 divide real images into regions.

    python benchmarks/ranet_maps.py --data data/camvid --out work_dirs/ranet_maps
    python benchmarks/ranet_readings.py work_dirs/ranet_maps/early.npz work_dirs/ranet_maps/trained.npz

A file has the score maps, true masks and images that ``ranet_maps.py`` describes. Each row is the mean of the images:

regions      The number of regions, with the lowest and the highest.
cells        The cells of the feature map in a region.
largest      The share of the largest region, in percent.
purity       The share of cells whose true class is the most frequent one of their region.
best         The share of the image's pixels that are right when each region gets its most frequent true class.
recall       The share of true boundary pixels with a border of a region within a cell of them.

"ends" are lines with their end points, T is the temperature of the class scores, and t is the threshold. Three rows
leave the chain of first partners: "mutual" joins a pixel to the first region in which it belongs together with every
pixel, "majority" with more than half of them. "wanted" finds a threshold for each image that gives 24 regions or more.
"W^g" has the threshold that tells pairs of one true object from other pairs best, as a learned W^g could. SLIC needs
scikit-image.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from prettytable import PrettyTable
from ranet_regions import agreeing, components, fitted_threshold, slic_regions, together, wanted_threshold
from tqdm import tqdm

from mmrev.models import RegionAttentionHead
from mmrev.models.layers import region_construction
from mmrev.visualization.region_pictures import borders, nearest, region_picture

IGNORED, WANTED, MANY = 255, 24, 100
THRESHOLDS, TEMPERATURES = (0.6, 0.7, 0.8, 0.9, 0.95), (1, 1 / 4, 1 / 16)
COLUMNS = ['reading', 'regions', 'range', 'cells', 'largest', 'purity', 'best', 'recall']


class Maps(NamedTuple):
    """The score maps of one image, its true mask [H, W] and RGB image [H, W, 3]."""

    boundary: torch.Tensor  # scores in [0, 1], [1, h, w]
    semantic: torch.Tensor  # scores before softmax, [1, N, h, w]
    mask: np.ndarray
    image: np.ndarray


Reading = Callable[[Maps], np.ndarray]  # returns the region of each cell [h, w], or of each pixel [H, W]


def main(argv: Sequence[str] | None = None) -> None:
    args = parse(argv)
    for file in args.maps:
        images = load(file, args.images)
        table = PrettyTable(COLUMNS, title=f'{file.name}, {len(images)} images')
        table.align = 'r'
        table.align['reading'] = 'l'
        for name, reading in tqdm(readings(images, args.quick), desc=file.name, unit=' readings'):
            found = [reading(maps) for maps in images]
            scores = np.array([measure(labels, maps) for labels, maps in zip(found, images, strict=True)])
            table.add_row([name, *cells(scores)])
            if args.pictures and name in args.drawn:
                draw(found, images, args.pictures / file.stem / name.replace('/', '_'))
        print(table)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('maps', nargs='+', type=Path, help='files of ranet_maps.py')
    parser.add_argument('--images', type=int, help='measure the first so many')
    parser.add_argument('--quick', action='store_true', help='the default, its rivals and few other readings')
    parser.add_argument('--pictures', type=Path, help='a folder for pictures of the regions')
    parser.add_argument('--drawn', nargs='+', default=['default'], help='the rows to draw')
    args = parser.parse_args(argv)
    if missing := [str(file) for file in args.maps if not file.is_file()]:
        parser.error(f'{missing[0]} is missing: ranet_maps.py makes such files')
    if find_spec('skimage') is None:
        parser.error('SLIC needs scikit-image: pip install scikit-image')
    return args


def load(file: Path, limit: int | None) -> list[Maps]:
    with np.load(file) as kept:
        parts = [kept[name][:limit] for name in ('boundary', 'semantic', 'masks', 'images')]
    boundary, semantic = (torch.from_numpy(part)[:, None].double() for part in parts[:2])
    return [Maps(*found) for found in zip(boundary[:, :, 0].sigmoid(), semantic, *parts[2:], strict=True)]


def readings(images: Sequence[Maps], quick: bool) -> Iterator[tuple[str, Reading]]:
    """Yields the name and the function of each row."""
    default = RegionAttentionHead(4, 4, num_classes=2, in_index=0).construction
    usual = dict(threshold=default.threshold, temperature=default.temperature, end_points=default.end_points)
    yield 'components of the arg max', lambda maps: components(maps.semantic[0].argmax(0).numpy())
    for count in (WANTED, MANY):
        yield f'SLIC, {count} or more', lambda maps, count=count: slic_regions(maps.image, count)
    yield 'default', lambda maps: divided(maps, **usual)
    yield 'default, semantic maps alone', lambda maps: divided(flat(maps), **usual)
    yield "authors' code", lambda maps: divided(maps, similarity='binary_jsd')
    if quick:
        return
    for similarity, ends, temperature, threshold in product(
        ('jsd', 'binary_jsd'), (False, True), TEMPERATURES, THRESHOLDS
    ):
        rule = dict(similarity=similarity, end_points=ends, temperature=temperature, threshold=threshold)
        name = f'{similarity}{", ends" * ends}, T = 1/{1 / temperature:g}, t = {threshold}'
        yield name, lambda maps, rule=rule: divided(maps, **rule)
    for ends, threshold in product((False, True), THRESHOLDS):
        rule = dict(threshold=threshold, end_points=ends)
        name = f'boundary map alone{", ends" * ends}, t = {threshold}'
        yield name, lambda maps, rule=rule: divided(without_classes(maps), **rule)
    for temperature in TEMPERATURES:
        name = f'T = 1/{1 / temperature:g}'
        yield f'wanted, {name}', lambda maps, rule=dict(temperature=temperature): divided(maps, **wanted(maps, **rule))
        yield from dense_readings(images, name, temperature)


def dense_readings(images: Sequence[Maps], name: str, temperature: float) -> Iterator[tuple[str, Reading]]:
    """Readings that need all pairs of cells at once."""
    tables = {id(maps): together(maps.boundary, (maps.semantic / temperature).softmax(1)) for maps in images}
    for share, joined in ((1, 'mutual'), (0.5, 'majority')):
        yield f'{joined}, {name}, t = 0.8', lambda maps, share=share: agreeing(tables[id(maps)], share)
    threshold = fitted_threshold([(tables[id(maps)], objects(maps)) for maps in images])
    rule = dict(temperature=temperature, threshold=threshold)
    yield f'W^g, {name}, t = {threshold:.2f}', lambda maps: divided(maps, **rule)


def divided(maps: Maps, **rule: object) -> np.ndarray:
    labels = region_construction(maps.boundary, maps.semantic.softmax(1), **rule).labels
    return labels.view(maps.boundary.shape[1:]).numpy()


def flat(maps: Maps) -> Maps:
    return maps._replace(boundary=torch.zeros_like(maps.boundary))


def without_classes(maps: Maps) -> Maps:
    return maps._replace(semantic=torch.zeros_like(maps.semantic))


def wanted(maps: Maps, **rule: float) -> dict[str, float]:
    return rule | dict(threshold=wanted_threshold(lambda threshold: divided(maps, **rule, threshold=threshold), WANTED))


def objects(maps: Maps) -> np.ndarray:
    """The true object of each cell [h, w], -1 where it is not known."""
    classes = centers(maps.mask, maps.boundary.shape[1:])
    return np.where(classes == IGNORED, -1, components(classes))


def centers(values: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """The values [H, W] at the centres of the cells: [h, w]."""
    rows, columns = ((2 * np.arange(new) + 1) * old // (2 * new) for new, old in zip(size, values.shape, strict=True))
    return values[rows][:, columns]


def measure(labels: np.ndarray, maps: Maps) -> list[float]:
    """The columns from regions to recall, for one image. The share of a region is that of its cells."""
    size = maps.boundary.shape[1:]
    by_cell, by_pixel = centers(labels, size), nearest(labels, maps.mask.shape)
    sizes = np.unique(by_cell, return_counts=True)[1]
    purity = agreement(by_cell, centers(maps.mask, size))
    best, found = agreement(by_pixel, maps.mask), recall(by_pixel, maps)
    return [len(sizes), sizes.mean(), sizes.max() / by_cell.size, purity, best, found]


def agreement(labels: np.ndarray, classes: np.ndarray) -> float:
    """The share of values whose class is the most frequent one of their region."""
    known = classes != IGNORED
    regions = np.unique(labels, return_inverse=True)[1].reshape(labels.shape)
    counts = np.zeros((regions.max() + 1, IGNORED), int)
    np.add.at(counts, (regions[known], classes[known]), 1)
    return counts.max(1).sum() / known.sum()


def recall(by_pixel: np.ndarray, maps: Maps) -> float:
    reach = maps.mask.shape[0] // maps.boundary.shape[1]
    near = cv2.dilate(borders(by_pixel).astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
    unknown = cv2.dilate((maps.mask == IGNORED).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    true = borders(maps.mask) & ~unknown
    return (near & true).sum() / max(true.sum(), 1)


def cells(scores: np.ndarray) -> list[str]:
    number, size, largest, *shares = scores.mean(0)
    lowest, highest = scores[:, 0].min(), scores[:, 0].max()
    return [f'{number:.1f}', f'{lowest:.0f}-{highest:.0f}', f'{size:.0f}', f'{100 * largest:.0f}'] + [
        f'{share:.3f}' for share in shares
    ]


def draw(found: Sequence[np.ndarray], images: Sequence[Maps], folder: Path) -> None:
    """Draws the regions without their representatives."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (labels, maps) in enumerate(zip(found, images, strict=True)):
        picture = region_picture(maps.image, labels, np.zeros(labels.shape, bool))
        cv2.imwrite(str(folder / f'{number}.png'), picture[..., ::-1])


if __name__ == '__main__':
    main()
