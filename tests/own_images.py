"""Small images with annotations of every kind, as a user's own data."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

COLORS = np.array([[0, 0, 0], [128, 64, 128], [64, 0, 128]], np.uint8)
NAMES = ('background', 'road', 'car')
WIDTH, HEIGHT = 64, 48


def labels(index: int) -> np.ndarray:
    """Labels 0 to 2 in rectangles, [48, 64]."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[24:] = 1
    mask[30:40, 8 + index : 24 + index] = 2
    return mask


def write_images(folder: Path, names: list[str], suffix: str = '.jpg') -> Path:
    for index, name in enumerate(names):
        path = folder / f'{name}{suffix}'
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(index).integers(0, 60, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        Image.fromarray(COLORS[labels(index)] + noise).save(path)
    return folder


def write_masks(folder: Path, names: list[str], change=lambda mask: mask, suffix: str = '.png', palette=None) -> Path:
    """Writes the masks. ``change`` turns labels into what a file holds."""
    for index, name in enumerate(names):
        path = folder / f'{name}{suffix}'
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(change(labels(index)))
        if palette is not None:
            image.putpalette(list(map(int, np.ravel(palette))))
        image.save(path)
    return folder


def coco(names: list[str], suffix: str = '.jpg', outlines: bool = True) -> dict:
    """The road and the car of each image as COCO's JSON. The ids of the categories have a gap."""
    annotations = []
    for index, _ in enumerate(names):
        for category, (x, y, w, h) in ((7, (0, 24, 64, 24)), (9, (8 + index, 30, 16, 10))):
            outline = [[x, y, x + w, y, x + w, y + h, x, y + h]] if outlines else []
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=index,
                    category_id=category,
                    bbox=[x, y, w, h],
                    area=w * h,
                    iscrowd=0,
                    segmentation=outline,
                )
            )
    return dict(
        images=[
            dict(id=index, file_name=name + suffix, width=WIDTH, height=HEIGHT) for index, name in enumerate(names)
        ],
        annotations=annotations,
        categories=[dict(id=7, name='road'), dict(id=9, name='car')],
    )


def write_json(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def write_labelme(folder: Path, names: list[str]) -> Path:
    for index, name in enumerate(names):
        shapes = [
            dict(label='road', shape_type='rectangle', points=[[0, 24], [64, 48]]),
            dict(label='car', shape_type='polygon', points=[[8 + index + x, y] for x, y in _corners(16, 30, 40)]),
        ]
        content = dict(shapes=shapes, imagePath=f'{name}.jpg', imageWidth=WIDTH, imageHeight=HEIGHT)
        write_json(folder / f'{name}.json', content)
    return folder


def write_yolo(folder: Path, names: list[str]) -> Path:
    for index, name in enumerate(names):
        path = folder / f'{name}.txt'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'0 0.5 0.75 1 0.5\n1 {(16 + index) / WIDTH} {35 / HEIGHT} 0.25 {10 / HEIGHT}\n')
    return folder


def _corners(width: int, top: int, bottom: int) -> list[tuple[int, int]]:
    return [(0, top), (width, top), (width, bottom), (0, bottom)]
