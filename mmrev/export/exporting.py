"""The export of a trained model into a file that is checked."""

import copy
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import Tensor

from mmrev.config_files import read_config
from mmrev.engine.checkpoints import read_checkpoint
from mmrev.engine.trained_model import build_model
from mmrev.errors import ConfigError, DataError, require_choice
from mmrev.hosts import HOSTS
from mmrev.prediction.files import write_file
from mmrev.prediction.metainfo import find_classes
from mmrev.prediction.names import shown
from mmrev.prediction.onnx_images import prepare, read_picture
from mmrev.prediction.predictor import test_pipeline
from mmrev.prediction.sources import find_sources

from .checking import Comparison, compare, require_equal
from .dense_regions import without_operators
from .description import describe
from .formats import FORMATS, OPSET, Run, require_packages, run_archive, run_onnx, trace, write_archive, write_onnx
from .network import OUTPUTS, Network, prepared, require_exportable

EXAMPLE = (97, 129)  # the size of the images with which free sizes are traced
CHECKED = ((1, 97, 129), (3, 127, 155), (1, 194, 258))  # batch, height, width: 1x, odd, 2x
SUFFIXES = {'onnx': '.onnx', 'torch-export': '.pt2'}


@dataclass
class Exported:
    """A file that was written and checked.

    Args:
        path: The file.
        random: Its difference from torch on random images.
        real: The same on the user's images; None without any.
        notes: Lines on what the file leaves out.
    """

    path: Path
    random: Comparison
    real: Comparison | None
    notes: list[str]


def export_model(
    config: str | Path | Config,
    checkpoint: str | Path,
    out: str | Path | None = None,
    *,
    file_format: str = 'onnx',
    output: str = 'scores',
    uint8: bool = False,
    size: tuple[int, int] | None = None,
    check_images: Iterable[str | Path] = (),
    force: bool = False,
) -> Exported:
    """Exports a segmentor, a classifier or the backbone of a detector.

    The file is run before it is written, at several sizes, and compared with torch. A wrong one is not written.

    Args:
        config: A config, its file, or the name of a config of mmrev.
        checkpoint: A .pth file. One that holds code is refused.
        out: The file. By default it has the name of the checkpoint, in this folder.
        file_format: ``'onnx'`` or ``'torch-export'``.
        output: ``'scores'`` (before the softmax), ``'probabilities'`` or ``'labels'``.
        uint8: Whether the network takes RGB images, 0 to 255, uint8, and normalises them itself.
        size: The only height and width of images. None: all sizes. RANet to ONNX needs it.
        check_images: Pictures and folders on which the file is compared too.
        force: Whether to overwrite a file.

    Raises:
        ConfigError: An argument is wrong, or the model cannot be exported so.
        CheckpointError: The checkpoint is unreadable or of another model, or the exported file is wrong.
        DataError: The file exists or cannot be written, or a picture cannot be read.
        HostError: A package is missing.

    Example:
        >>> export_model('ran_n_r18_camvid', 'iter_4000.pth', file_format='tflite')
        Traceback (most recent call last):
        mmrev.errors.ConfigError: unknown format 'tflite': use one of 'onnx', 'torch-export'
    """
    require_choice('format', file_format, FORMATS)
    require_choice('output', output, OUTPUTS)
    require_packages(file_format)
    path = Path(out or Path(checkpoint).with_suffix(SUFFIXES[file_format]).name)
    if path.is_dir():
        raise DataError(f'{shown(path)} is a folder: name a file with --out, such as model{SUFFIXES[file_format]}')
    if path.exists() and not force:
        raise DataError(f'{shown(path)} exists: name another file with --out, or overwrite it with --force')
    if not os.access(path.parent if path.parent.exists() else '.', os.W_OK):
        raise DataError(f'{shown(path.parent)} cannot be written: name another folder with --out')
    pictures = [Path(source.path) for source in find_sources(check_images)[0]] if check_images else []
    cfg = copy.deepcopy(config) if isinstance(config, Config) else read_config(config, needs='test_dataloader')
    if cfg.get('default_scope') not in HOSTS:
        raise ConfigError(f'an export needs a config with default_scope={" or ".join(map(repr, HOSTS))}')
    task = HOSTS[cfg.default_scope].task
    content = read_checkpoint(checkpoint)
    model, _ = build_model(cfg, content, str(checkpoint), device='cpu')
    require_exportable(model, task, file_format, output, fixed=size is not None)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        pipeline = test_pipeline(cfg)
        network = Network(model, task, output if task != 'detection' else 'scores', uint8).eval()
        description = describe(cfg, network, find_classes(cfg, content, model), pipeline)
        file, run = _make(network, description, file_format, size)
        checked = [(batch, *(size or (height, width))) for batch, height, width in CHECKED]
        labelled = task != 'detection'
        random = compare(run, network, random_images(checked, uint8), labelled)
        require_equal(random, real=False)
        real = None
        if pictures:
            real = compare(run, network, _real_images(pictures, description, size), labelled)
            require_equal(real, real=True)
    write_file(path, lambda stream: stream.write(file))
    return Exported(path, random, real, _notes(cfg, task))


def _make(network: Network, description: dict, file_format: str, size: tuple[int, int] | None) -> tuple[bytes, Run]:
    example = random_images([(2, *(size or EXAMPLE))], network.uint8)
    program = trace(prepared(network), next(example), free=size is None)
    if file_format == 'torch-export':
        file = write_archive(program, description)
        return file, run_archive(file)
    count = len(program.graph_signature.user_outputs)
    names = [network.output] if network.task != 'detection' else [f'stage_{number}' for number in range(count)]
    file = write_onnx(without_operators(program), {**description, 'opset': OPSET}, names)
    return file, run_onnx(file)


def random_images(shapes: Sequence[tuple[int, int, int]], uint8: bool) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(0)
    for batch, height, width in shapes:
        if uint8:
            yield torch.randint(0, 256, (batch, 3, height, width), generator=generator).byte()
        else:
            yield torch.randn(batch, 3, height, width, generator=generator)


def _real_images(pictures: Sequence[Path], description: dict, size: tuple[int, int] | None) -> Iterator[Tensor]:
    for picture in pictures:
        image = prepare(read_picture(picture), description)
        if size is not None and image.shape[2:] != size:
            raise DataError(
                f'{shown(picture)} becomes {image.shape[2]} x {image.shape[3]}, and the network takes '
                f'{size[0]} x {size[1]} alone: give other images to --check-images'
            )
        yield torch.from_numpy(np.ascontiguousarray(image))


def _notes(cfg: Config, task: str) -> list[str]:
    notes = []
    if task == 'detection':
        notes.append('the file has the backbone alone, without the heads of the detector')
    if (cfg.model.get('test_cfg') or {}).get('crf'):
        notes.append('the file leaves out the dense CRF of test_cfg')
    return notes
