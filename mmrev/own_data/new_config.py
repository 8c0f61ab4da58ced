"""From images and annotations to a config: looks at the data, converts what needs it, and writes the text."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from mmrev.errors import ConfigError, DataError, require_choice
from mmrev.prediction.files import write_folder
from mmrev.prediction.names import shown

from .classes import read_classes
from .config_text import Choices, Text
from .detection import write_detection
from .detection_text import detection_text
from .masks import Labels, Track, labels_of_masks, labels_of_objects, require_size
from .methods import BACKBONES, DETECTORS, METHOD_OF_TASK, METHODS
from .objects import Annotations
from .output import MARK, require_free, write_json, write_text
from .pictures import describe_sizes, find_images, measure
from .recognise import find_source
from .request import Data, Made, Request
from .segmentation import write_segmentation
from .segmentation_text import segmentation_text
from .weights import prefix_of

BACKGROUND = ('background', '_background_', '__background__')
CLASSES = 'classes.json'
MOST_LINES = 30
TASKS = ('segmentation', 'detection')


def new_config(request: Request, track: Track = lambda items, _: items) -> Made:
    """Writes a config for the user's data. Nothing of the user's is changed.

    Args:
        request: The request of the user.
        track: Shows the progress of a loop.

    Raises:
        DataError: The data are wrong, or of an unknown kind.
        ConfigError: An argument is wrong, or a file exists already.

    Example:
        >>> import numpy as np
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from PIL import Image
        >>> with TemporaryDirectory() as folder:
        ...     images, masks = Path(folder, 'images'), Path(folder, 'masks')
        ...     for name in ('a', 'b'):
        ...         for place in (images, masks):
        ...             place.mkdir(exist_ok=True)
        ...             Image.fromarray(np.eye(64, dtype=np.uint8)).save(place / f'{name}.png')
        ...     made = new_config(Request(images, masks, Path(folder, 'my.py')))
        >>> made.notes[1], made.notes[3]
        ('masks: masks of labels, as they are', 'classes: class 0 98.4%, class 1 1.6%')
    """
    _check(request)
    prefix = None if request.weights in ('none', 'imagenet') else prefix_of(request.weights)
    data = _look(request, track)
    objects = _objects(data)
    task = request.task or ('detection' if objects and not objects.outlined else 'segmentation')
    method = _method(request.method, task)
    choices = Choices(
        method=method,
        backbone=request.backbone,
        size=request.size,
        iters=request.iters,
        batch_size=request.batch_size or (2 if task == 'detection' else 4),
        weights=None if request.weights == 'none' else _weights(request),
        prefix=prefix,
    )
    with write_folder(request.folder) as folder:
        if task == 'detection':
            boxes = write_detection(_need_objects(objects, data), data, folder)
            text = _fitting(partial(detection_text, choices, request=request), boxes, request, folder)
        else:
            masks = write_segmentation(_labels(data, objects, track), data, folder, track)
            text = _fitting(partial(segmentation_text, choices, request=request), masks, request, folder)
        if any(folder.iterdir()):
            write_json(folder / MARK, dict(notes=data.notes))
    write_text(request.out, text.config)
    return Made(request.out, len(text.config.splitlines()), data.notes, text.train, text.predict)


def _check(request: Request) -> None:
    require_choice('backbone', request.backbone, BACKBONES)
    if request.task:
        require_choice('task', request.task, TASKS)
    if request.method:
        require_choice('method', request.method, METHODS)
    require_free(request.out, request.folder, (request.images, request.masks), request.force)
    if request.splits and not (request.splits / 'train.txt').is_file():
        raise ConfigError(f'--splits {shown(request.splits)} has no train.txt: expected train.txt and val.txt there')


def _look(request: Request, track: Track) -> Data:
    given = read_classes(request.classes) if request.classes else None
    images = find_images(request.images)
    source = find_source(request.masks, images)
    annotated = {name: images[name] for name in sorted(source.names)}
    sizes = {name: measure(path) for name, path in track(annotated.items(), 'images')}
    data = Data(request, annotated, sizes, source, given)
    suffixes = ' and '.join(sorted({path.suffix for path in annotated.values()}))
    data.notes.append(
        f'images: {len(annotated)} in {shown(request.images)}, {describe_sizes(sizes.values())}, {suffixes}'
    )
    _note_missing(data, [name for name in images if name not in annotated], 'images without annotation are left out')
    if source.pairs:
        _note_missing(data, source.pairs.left, 'annotations have no image')
    return data


def _note_missing(data: Data, names: Sequence[str], what: str) -> None:
    if names:
        data.notes.append(f'note: {len(names)} {what}, such as {shown(names[0])}')


def _objects(data: Data) -> Annotations | None:
    if data.source.read is None:
        return None
    given = [name for name in data.given.names if name not in BACKGROUND] if data.given else None
    objects = data.source.read(data.sizes, given)
    for name, size in objects.sizes.items():
        require_size(f'the annotation of {name}', size, data.sizes[name])
    return objects


def _need_objects(objects: Annotations | None, data: Data) -> Annotations:
    if objects is None:
        raise DataError(
            f'{shown(data.request.masks)} has masks, which do not tell one object from another: a detector needs boxes '
            "(COCO's JSON, LabelMe's JSON or YOLO's text files)"
        )
    return objects


def _labels(data: Data, objects: Annotations | None, track: Track) -> Labels:
    if objects is not None:
        return labels_of_objects(objects, data.sizes, data.given)
    assert data.source.pairs is not None
    return labels_of_masks(data.source.pairs.files, data.sizes, data.given, data.request.ignore, track)


def _fitting(write: Callable[[Any], Text], data: Any, request: Request, folder: Path) -> Text:
    """Writes the text of a config. Many classes go into a file of their own."""
    text = write(data)
    if len(text.config.splitlines()) > MOST_LINES:
        write_json(folder / CLASSES, dict(classes=list(data.classes), palette=list(data.palette)))
        text = write(replace(data, classes_file=request.folder / CLASSES))
    return text


def _method(method: str | None, task: str) -> str:
    if method is None:
        return METHOD_OF_TASK[task]
    if task == 'detection' and method not in DETECTORS:
        raise ConfigError(
            f'--method {method} is for segmentation: detectors take {" or ".join(DETECTORS)}. Outlines of objects also '
            'make masks: --task segmentation'
        )
    return method


def _weights(request: Request) -> str:
    if request.weights == 'imagenet':
        return f'torchvision://resnet{BACKBONES[request.backbone].depth}'
    return request.weights
