"""Compares two scales, and the attention over them, with the network at one scale.

    python benchmarks/scale_attention.py                        # this machine's GPU, or its CPU
    python benchmarks/scale_attention.py --device cpu --batch 1 --size 161 --rounds 5

The network is DeepLab-LargeFOV on VGG16 (or the dilated ResNet-34), at scale 1 and, with four fusions, at (1, 0.5).
Inference ends with the fused scores, before they are resized to the image. The runs take turns. Times are medians over
the rounds, and ratios are to the plain network:

less head     the time without that of the attention head alone
pixels        the number of pixels
over pixels   how much "less head" exceeds "pixels"

Three parts explain what is left:

small image   the plain network on the 0.5 image. It takes longer than its pixels: small maps keep a machine less
              busy
head alone    the attention head on ready-made feature maps and score maps, with its SGD in training
a loss        a cross entropy at the size of the labels. The plain network has one. Two scales have three, and one of
              them is in "small image"

Peaks are those of ``common.peak_memory`` in inference, without images and parameters.
"""

import argparse
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import torch
from common import describe, inference, make_samples, measure, options, peak_memory, total_loss, training_step
from mmengine.config import ConfigDict
from mmengine.registry import MODELS, init_default_scope
from prettytable import PrettyTable
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from mmrev.models.segmentors.scales import rescale

SCALES = (1.0, 0.5)
# config, channels of the four feature maps, classes of the paper's data
BACKBONES = {
    'vgg': (dict(type='mmrev.LargeFOVVGG'), (256, 512, 512, 1024), 21),
    'r34': (dict(type='mmrev.DilatedResNet', depth=34), (64, 128, 256, 512), 150),
}
ATTENTION = dict(type='mmrev.ScaleAttentionHead', align_corners=True)
FUSIONS = {
    'plain': None,
    'max': 'max',
    'avg': 'avg',
    'Attention-to-Scale': dict(ATTENTION, multi_stage=False, conv_per_scale=False, recalibration=None),
    'ours': ATTENTION,
}
COLUMNS = [
    'phase',
    'run',
    'ms',
    'to plain',
    'less head',
    'pixels',
    'over pixels',
    'peak (MiB)',
    'peak to plain',
    'parameters (M)',
]

Job = tuple[Callable[[], Tensor], Iterable[Tensor]]  # a forward pass, and the parameters that its training step changes


def main(argv: Sequence[str] | None = None) -> None:
    args = parse(argv)
    init_default_scope('mmseg')
    torch.manual_seed(0)
    images = torch.randn(args.batch, 3, args.size, args.size, device=args.device)
    models = {name: build(fusion, args) for name, fusion in FUSIONS.items()}
    table = PrettyTable(COLUMNS)
    table.align = 'r'
    for phase in ('training', 'inference'):
        training = phase == 'training'
        runs = {
            name: training_step(forward, changed, args) if training else inference(forward, args)
            for name, (forward, changed) in jobs(models, images, training, args).items()
        }
        times = measure(runs, args)
        peaks = {} if training else {name: peak_memory(run, args.device) for name, run in runs.items()}
        for name in runs:
            table.add_row(
                [phase, name, *costs(name, times, pixels(images)), *memory(name, peaks), parameters(models.get(name))]
            )
    print(f'{describe(args.backbone, args)}\n{table}')


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = options(__doc__, batch=(8, 1), size=321)
    parser.add_argument('--backbone', choices=BACKBONES, default='vgg')
    return parser.parse_args(argv)


def build(fusion: str | dict | None, args: argparse.Namespace) -> nn.Module:
    """Builds the network with a fusion, or the plain network for None."""
    backbone, widths, classes = BACKBONES[args.backbone]
    if isinstance(fusion, dict):
        fusion = dict(fusion, in_channels=widths, num_classes=classes)
    segmentor = dict(type='mmrev.MultiScaleEncoderDecoder', scales=SCALES, fusion=fusion)
    head = dict(
        type='FCNHead',
        in_channels=widths[-1],
        in_index=3,
        channels=widths[-1],
        num_convs=0,
        concat_input=False,
        dropout_ratio=0,
        num_classes=classes,
        align_corners=True,
    )
    model = MODELS.build(
        ConfigDict(
            segmentor if fusion else dict(type='EncoderDecoder'),
            backbone=backbone,
            decode_head=head,
            test_cfg=dict(mode='whole'),
        )
    )
    return model.to(args.device)


def jobs(models: dict[str, nn.Module], images: Tensor, training: bool, args: argparse.Namespace) -> dict[str, Job]:
    """Lists the runs of a phase: each network, then the parts."""
    plain = models['plain']
    classes = plain.decode_head.num_classes
    samples = make_samples(torch.randint(classes, (args.batch, args.size, args.size), device=args.device))

    def run(model: nn.Module, inputs: Tensor) -> Tensor:
        return total_loss(model.loss(inputs, samples)) if training else model(inputs)

    found: dict[str, Job] = {}
    for name, model in models.items():
        found[name] = partial(run, model.train(training), images), model.parameters()
    # only a bias is trained: "plain" already holds the SGD of all parameters, which two scales share
    found['small image'] = partial(run, plain, rescale(images, SCALES[1], True)), [plain.decode_head.conv_seg.bias]
    for name in ('Attention-to-Scale', 'ours'):
        found[f'{name}, head alone'] = head_alone(models[name], images, args), models[name].fusion.parameters()
    if training:
        scores = ready(lambda: plain(images), args)
        found['a loss'] = (lambda: total_loss(plain.decode_head.loss_by_feat(scores, samples))), [scores]
    return found


def head_alone(model: nn.Module, images: Tensor, args: argparse.Namespace) -> Callable[[], Tensor]:
    """Makes a forward pass of the attention head alone."""
    head, indices = model.fusion, range(len(SCALES))
    features = ready(lambda: [model.features_at(images, index) for index in indices], args)
    scores = ready(lambda: [model.decode_head(maps) for maps in features], args)

    def forward() -> Tensor:
        maps = head.attend([head.scale_features(features[index], index) for index in indices])
        return head.fuse(scores, maps).float().square().mean()

    return forward


def ready(forward: Callable[[], Any], args: argparse.Namespace) -> Any:
    """Runs a forward pass and returns its tensors as the start of a new graph."""
    return tree_map(lambda tensor: tensor.requires_grad_(), inference(forward, args)())


def pixels(images: Tensor) -> float:
    """Computes the ratio of the pixels of all scales to those of the first."""
    return sum(rescale(images[:1], scale, True).numel() for scale in SCALES) / images[:1].numel()


def costs(name: str, times: dict[str, float], at_two_scales: float) -> list[str]:
    """Writes the cells on time and pixels."""
    to_plain = times[name] / times['plain']
    cells = [f'{times[name]:.1f}', f'{to_plain:.3f}']
    if name not in FUSIONS:
        return [*cells, '', f'{at_two_scales - 1:.3f}' if name == 'small image' else '', '']
    rest = to_plain - times.get(f'{name}, head alone', 0) / times['plain']
    expected = 1 if name == 'plain' else at_two_scales
    return [*cells, f'{rest:.3f}', f'{expected:.3f}', f'{rest / expected - 1:+.1%}']


def memory(name: str, peaks: dict[str, float]) -> list[str]:
    """Writes the cells on memory. They are empty in training."""
    return [f'{peaks[name]:.1f}', f'{peaks[name] / peaks["plain"]:.3f}'] if peaks else ['', '']


def parameters(model: nn.Module | None) -> str:
    """Writes the cell on parameters. It is empty for a part."""
    return f'{sum(parameter.numel() for parameter in model.parameters()) / 1e6:.2f}' if model else ''


if __name__ == '__main__':
    main()
