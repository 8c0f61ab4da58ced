"""A file of ``mmrev export --format onnx`` that predicts pictures, with onnxruntime, NumPy and Pillow alone.

Shapes: N classes, H x W the picture.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from mmrev.errors import CheckpointError, DataError, HostError

from .classes import Classes
from .names import shown
from .onnx_images import interpolate, prepare, read_picture
from .picture_files import as_picture, line_of
from .results import Prediction
from .sources import Source
from .tasks.segmentation import softmax

KEY = 'mmrev'


@dataclass
class Data:
    """The array of one answer, under the name that the data samples of OpenMMLab give it."""

    data: np.ndarray


@dataclass
class Answer:
    """The answers of a network, under the names that the data samples of OpenMMLab give them."""

    answers: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__.get('answers', {}):
            return self.answers[name]
        raise AttributeError(name)

    def __contains__(self, name: str) -> bool:
        return name in self.answers

    def keys(self) -> list[str]:
        return list(self.answers)


class OnnxModel:
    """A segmentor or a classifier in an ONNX file.

    Args:
        path: The file.

    Raises:
        HostError: onnxruntime is missing.
        CheckpointError: The file is missing, unreadable, not from ``mmrev export``, or the backbone of a detector.

    Example:
        >>> OnnxModel('no_such_file.onnx')
        Traceback (most recent call last):
        mmrev.errors.CheckpointError: no_such_file.onnx is missing: expected a file of `mmrev export`
    """

    def __init__(self, path: str | Path) -> None:
        name = shown(path)
        if not Path(path).is_file():
            raise CheckpointError(f'{name} is missing: expected a file of `mmrev export`')
        if find_spec('onnxruntime') is None:
            raise HostError(f"{name} needs onnxruntime: pip install 'mmrev[onnx]'")
        content = Path(path).read_bytes()
        self.session = _session(content, name)
        text = self.session.get_modelmeta().custom_metadata_map.get(KEY)
        if text is None:
            raise CheckpointError(f'{name} has no description by mmrev: expected a file of `mmrev export`')
        self.description = json.loads(text)
        if self.description.get('format') != 1:
            raise CheckpointError(
                f'{name} is of mmrev {self.description.get("mmrev")}, newer than this one: pip install -U mmrev'
            )
        self.task: str = self.description['task']
        if self.task == 'detection':
            raise CheckpointError(
                f'{name} has the backbone of a detector alone: predict boxes with `mmrev predict CONFIG CHECKPOINT`'
            )
        self.classes = Classes(self.description['classes'], self.description['palette'])
        self.identity = dict(config='onnx', checkpoint=hashlib.sha256(content).hexdigest()[:16])

    def stream(self, sources: Iterable[Source], batch_size: int = 1) -> Iterator[tuple[Source, Prediction | DataError]]:
        """Yields the prediction for each source, or the reason why there is none."""
        batch: list[tuple[Source, np.ndarray, np.ndarray]] = []
        for source in sources:
            try:
                picture = read_picture(source.path) if source.image is None else as_picture(source.image)
                images = prepare(picture, self.description)
            except DataError as problem:
                yield source, problem
                continue
            if batch and (len(batch) == batch_size or batch[0][2].shape != images.shape):
                yield from self._predict(batch)
                batch = []
            batch.append((source, picture, images))
        yield from self._predict(batch)

    def _predict(
        self, batch: list[tuple[Source, np.ndarray, np.ndarray]]
    ) -> Iterator[tuple[Source, Prediction | DataError]]:
        if not batch:
            return
        try:
            results = self.run(np.concatenate([images for _, _, images in batch]))
        except Exception as error:  # onnxruntime raises many types
            if len(batch) > 1:
                for one in batch:
                    yield from self._predict([one])
                return
            source, picture, _ = batch[0]
            size = f'{picture.shape[1]} x {picture.shape[0]} pixels'
            yield source, DataError(f'{shown(source.title)} ({size}): the model fails on it ({line_of(error)[:200]})')
            return
        answer = self._segmented if self.task == 'segmentation' else self._classified
        for (source, picture, _), result in zip(batch, results, strict=True):
            try:
                yield source, Prediction(source, picture, answer(result, picture.shape[:2]))
            except DataError as problem:
                yield source, problem

    def run(self, images: np.ndarray) -> np.ndarray:
        """Runs the network on images [B, 3, H, W], in windows where its config says so."""
        if self.description['mode'] != 'slide' or self.task != 'segmentation':
            return self.session.run(None, {'images': images})[0]
        total, count = None, np.zeros(images.shape[2:], np.float32)
        for rows, columns in _windows(images.shape[2:], self.description['crop_size'], self.description['stride']):
            scores = self.session.run(None, {'images': np.ascontiguousarray(images[:, :, rows, columns])})[0]
            if total is None:
                total = np.zeros((*scores.shape[:2], *images.shape[2:]), np.float32)
            total[:, :, rows, columns] += scores
            count[rows, columns] += 1
        assert total is not None, 'an image has a window'
        return total / count

    def _segmented(self, result: np.ndarray, size: tuple[int, ...]) -> Answer:
        if result.ndim == 2:  # labels
            if result.shape != size:
                raise DataError(
                    'the file gives labels, at another size than the picture: export it with --output scores'
                )
            return Answer(dict(pred_sem_seg=Data(result[None]), seg_logits=Data(result[None].astype(np.float32))))
        scores = interpolate(result, (size[0], size[1]), self.description['align_corners'])
        if len(scores) > 1:
            labels = scores.argmax(0)[None]
            scores = np.log(np.maximum(scores, 1e-30)) if self.description['output'] == 'probabilities' else scores
            return Answer(dict(pred_sem_seg=Data(labels), seg_logits=Data(scores)))
        shares = scores if self.description['output'] == 'probabilities' else 1 / (1 + np.exp(-scores))
        labels = (shares > (self.description['threshold'] or 0.5)).astype(int)
        return Answer(dict(pred_sem_seg=Data(labels), seg_logits=Data(shares)))

    def _classified(self, result: np.ndarray, size: tuple[int, ...]) -> Answer:
        if result.ndim == 0:  # a label
            scores = np.zeros(len(self.classes.names), np.float32)
            scores[int(result)] = 1
        elif self.description['output'] == 'probabilities':
            scores = result
        else:
            scores = 1 / (1 + np.exp(-result)) if self.description['multi_label'] else softmax(result)
        return Answer(dict(pred_score=scores))


def _session(content: bytes, name: str) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # an error is told once, by us
    try:
        return onnxruntime.InferenceSession(content, options, providers=['CPUExecutionProvider'])
    except Exception as error:  # onnxruntime has a type for each status
        raise CheckpointError(f'{name} is no ONNX file that onnxruntime can run ({line_of(error)[:160]})') from error


def _windows(size: tuple[int, ...], crop: list[int], stride: list[int]) -> Iterator[tuple[slice, slice]]:
    """The windows of mmseg's slide inference, row by row."""
    places = []
    for length, window, step in zip(size, crop, stride, strict=True):
        count = max(length - window + step - 1, 0) // step + 1
        ends = [min(number * step + window, length) for number in range(count)]
        places.append([slice(max(end - window, 0), end) for end in ends])
    for rows in places[0]:
        for columns in places[1]:
            yield rows, columns
