"""Trains tiny models in one process and, on the same batches, in several. Writes what it saw to a folder.

``python tests/split_training.py FOLDER`` writes ``1.pth``, ``2.pth`` and ``3.pth``, one for each number of processes.
All of them are forked from one process, so that the packages are imported once.
"""

import functools
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
import torch._dynamo  # DDP would import it in each process
from checks.model_checks import make_samples
from mmengine.config import Config
from mmengine.model import BaseDataPreprocessor
from mmengine.optim import OptimWrapper
from mmengine.registry import MODEL_WRAPPERS, DefaultScope, init_default_scope
from mmengine.structures import PixelData
from mmpretrain.structures import DataSample
from torch import Tensor, distributed, nn
from torch.distributed.nn.functional import all_reduce

from mmrev.cli.processes import use_cpus
from mmrev.datasets.transforms import boundary_labels
from mmrev.registry import MODELS

WORLDS = (1, 2, 3)
CLASSES, IMAGES, STEPS = 4, 6, 2

RESNET = dict(
    type='mmseg.ResNet', depth=18, stem_channels=4, base_channels=4, num_stages=2, strides=(1, 2), dilations=(1, 1)
)
RAN = dict(type='mmrev.ReverseAttentionHead', in_channels=8, in_index=1, num_classes=CLASSES, dilation=2)
REGIONS = dict(type='mmrev.RegionAttentionHead', in_channels=8, in_index=1, channels=4, num_classes=CLASSES)
ATTENTION = dict(type='mmrev.ScaleAttentionHead', in_channels=[4, 8], num_classes=CLASSES, dilations=(2, 1))


def segmentor(head: dict, scales: tuple[float, ...] = (1.0,), **options) -> dict:
    backbone = dict(RESNET, out_indices=(0, 1), **options.pop('backbone', {}))
    return dict(type='mmrev.MultiScaleEncoderDecoder', scales=scales, backbone=backbone, decode_head=head, **options)


def classifier(backbone: str) -> dict:
    return dict(
        type='mmpretrain.ImageClassifier',
        backbone=dict(type=backbone, depth=18, stem_channels=4, base_channels=4),
        neck=dict(type='mmpretrain.GlobalAveragePooling'),
        head=dict(type='mmpretrain.LinearClsHead', num_classes=CLASSES, in_channels=32),
    )


def cross_entropy(**options) -> dict:
    return dict(type='mmseg.CrossEntropyLoss', **options)


METHODS = {
    'RAN-s': segmentor(dict(RAN, mode='simple')),
    'RAN-n': segmentor(dict(RAN, mode='normalized')),
    'RAN-n, two scales': segmentor(dict(RAN, mode='normalized'), (1.0, 0.5)),
    'scale attention': segmentor(RAN, (1.0, 0.5), fusion=dict(ATTENTION, channels=4, scale_channels=4)),
    'RANet': segmentor(dict(REGIONS, dropout_ratio=0, threshold=0.5, num_representatives=2)),
    'RA-Net': classifier('mmrev.RAResNet'),
    'SE': classifier('mmrev.SEResNet'),
    'CBAM': classifier('mmrev.CBAMResNet'),
}
# name -> the model, and the settings of the training
CASES: dict[str, tuple[dict, dict]] = {
    **{f'{name}, {norm}': (model, dict(norm=norm)) for name, model in METHODS.items() for norm in ('frozen', 'synced')},
    **{
        f'{name}, accumulated': (METHODS[name], dict(accumulate=2)) for name in ('RAN-n, two scales', 'RANet', 'RA-Net')
    },
    'unused parameters': (
        segmentor(RAN, backbone=dict(num_stages=3, strides=(1, 2, 2), dilations=(1, 1, 1))),
        dict(unused=True),
    ),
    'per valid pixel, as many': (
        segmentor(dict(RAN, loss_decode=cross_entropy(avg_non_ignore=True))),
        dict(ignore=False),
    ),
}
CASES['unused parameters, accumulated'] = (CASES['unused parameters'][0], dict(unused=True, accumulate=2))
# these are known to differ: docs/training.md says why
DIFFERENT: dict[str, tuple[dict, dict]] = {
    'batch norm of each process': (METHODS['RAN-n'], dict(norm='own')),
    'per valid pixel': (segmentor(dict(RAN, loss_decode=cross_entropy(avg_non_ignore=True))), {}),
    # without ignored pixels, which mmseg 1.2.2 cannot weigh
    'weighted classes': (
        segmentor(dict(RAN, loss_decode=cross_entropy(class_weight=[1, 2, 3, 4]))),
        dict(ignore=False),
    ),
}


class SyncedBatchNorm(nn.BatchNorm2d):
    """A batch norm over the images of all processes, because torch's own needs a GPU. The parts are of one size."""

    def forward(self, x: Tensor) -> Tensor:
        axes, count = (0, 2, 3), distributed.get_world_size()
        mean = all_reduce(x.mean(axes)) / count
        centred = x - mean[:, None, None]
        scale = self.weight / (all_reduce(centred.square().mean(axes)) / count + self.eps).sqrt()
        return centred * scale[:, None, None] + self.bias[:, None, None]


def build(config: dict, norm: str) -> nn.Module:
    torch.manual_seed(0)
    model = MODELS.build(Config(config)._cfg_dict).double().train()
    model.data_preprocessor = BaseDataPreprocessor()
    for name, parameter in model.named_parameters():
        if 'norm' not in name and '.bn' not in name:
            nn.init.normal_(parameter, std=0.2)  # a gate of RA-Net starts as no gate
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.training = norm != 'frozen'
            if norm == 'synced' and distributed.is_initialized():
                module.__class__ = SyncedBatchNorm
    return model


def batches(classification: bool, ignore: bool, count: int) -> Iterator[dict]:
    """Whole batches. The images have different numbers of ignored pixels. The first part of three has no others."""
    draw = torch.Generator().manual_seed(1)
    for _ in range(count):
        inputs = torch.randn(IMAGES, 3, 33, 29, generator=draw, dtype=torch.float64)
        labels = torch.randint(CLASSES, (IMAGES, 5, 5), generator=draw).repeat_interleave(7, 1).repeat_interleave(6, 2)
        labels = labels[:, :33, :29].contiguous()
        if ignore and not classification:
            for index in range(IMAGES):
                labels[index, : 33 - 6 * max(0, index - 1)] = 255
        yield dict(inputs=inputs, data_samples=_classes(labels) if classification else _masks(labels))


def _classes(labels: Tensor) -> list[DataSample]:
    return [DataSample().set_gt_label(int(label[-1, -1])) for label in labels]


def _masks(labels: Tensor) -> list:
    samples = make_samples(labels)
    for sample, label in zip(samples, labels, strict=True):
        edges = torch.from_numpy(boundary_labels(label.byte().numpy()))
        sample.gt_edge_map = PixelData(data=edges[None].long())
    return samples


def train(config: dict, rank: int, world: int, *, norm='frozen', accumulate=1, unused=False, ignore=True) -> dict:
    """Returns the losses of this process, the gradients of each optimizer step and the last weights."""
    model = build(config, norm)
    if world > 1:
        cfg = Config(dict(launcher='pytorch', find_unused_parameters=unused))
        use_cpus(cfg)
        model = MODEL_WRAPPERS.build(dict(cfg.model_wrapper_cfg, module=model))
    network = getattr(model, 'module', model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    optim_wrapper = OptimWrapper(optimizer, accumulative_counts=accumulate)
    optim_wrapper.initialize_count_status(model, 0, STEPS * accumulate)
    gradients: list[dict[str, Tensor | None]] = []
    optimizer.register_step_pre_hook(lambda *_: gradients.append(_gradients(network)))
    part = slice(rank * IMAGES // world, (rank + 1) * IMAGES // world)
    losses = []
    for batch in batches('Classifier' in config['type'], ignore, STEPS * accumulate):
        log = model.train_step({key: value[part] for key, value in batch.items()}, optim_wrapper)
        losses.append({name: value.detach().double() for name, value in log.items() if 'loss' in name})
    return dict(losses=losses, gradients=gradients, weights={k: v.detach() for k, v in network.named_parameters()})


def _gradients(model: nn.Module) -> dict[str, Tensor | None]:
    return {name: None if p.grad is None else p.grad.clone() for name, p in model.named_parameters()}


def run(rank: int, world: int, folder: Path) -> None:
    """Trains all cases in this process. The first of several writes the result."""
    torch.set_num_threads(1)
    torch.backends.mkldnn.enabled = False
    if world > 1:
        store = distributed.FileStore(str(folder / f'{world}.store'), world)
        distributed.init_process_group('gloo', store=store, rank=rank, world_size=world)
    init_default_scope('mmseg')
    seen = {}
    for name, (config, settings) in {**CASES, **DIFFERENT}.items():
        with DefaultScope.overwrite_default_scope('mmpretrain' if 'Classifier' in config['type'] else 'mmseg'):
            seen[name] = train(config, rank, world, **settings)
        seen[name]['losses'] = _mean_over_processes(seen[name]['losses'], world)
    if rank == 0:
        torch.save(seen, folder / f'{world}.pth')
    if world > 1:
        distributed.barrier()
        distributed.destroy_process_group()


def _mean_over_processes(losses: list[dict[str, Tensor]], world: int) -> list[dict[str, Tensor]]:
    if world > 1:
        for value in (value for step in losses for value in step.values()):
            distributed.all_reduce(value)
            value /= world
    return losses


def fork(work: functools.partial) -> int:
    """Runs the work in a new process, and returns its number."""
    if number := os.fork():
        return number
    status = 1
    try:
        work()
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    sys.stderr.flush()
    os._exit(status)


def main(folder: Path) -> int:
    failed = 0
    for world in WORLDS:
        processes = [fork(functools.partial(run, rank, world, folder)) for rank in range(world)]
        failed |= any(os.waitpid(process, 0)[1] for process in processes)
    return int(failed)


if __name__ == '__main__':
    sys.exit(main(Path(sys.argv[1])))
