"""Draws figures from trained models: RAN's 2 and 4, scale attention's 3, RANet's 5 and 6."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import DATASETS
from torch import nn
from tqdm import tqdm

from mmrev.datasets.checks import check_data
from mmrev.errors import ConfigError
from mmrev.models.decode_heads.region_attention_head import RegionAttentionHead
from mmrev.models.decode_heads.reverse_attention_head import ReverseAttentionHead
from mmrev.visualization.ran_figures import draw_ran_figures
from mmrev.visualization.ranet_figures import draw_ranet_figures
from mmrev.visualization.samples import Sample, look, most_confused, spread
from mmrev.visualization.scale_attention_figures import draw_scale_attention_figures

from .common import config_parser, find_config, load_config, positive, run
from .trained_model import load_model


def main(argv: Sequence[str] | None = None) -> int:
    parser = config_parser(
        'draw',
        "Draw RAN's figures 2 and 4, scale attention's figure 3 or RANet's figures 5 and 6, "
        'all that a model has, on the images of the test data set.',
        runs=False,
    )
    parser.add_argument(
        'checkpoint',
        help='of the config, which has a ReverseAttentionHead, a ScaleAttentionHead or a RegionAttentionHead',
    )
    parser.add_argument(
        '--baseline',
        nargs=2,
        metavar=('CONFIG', 'CHECKPOINT'),
        help='drawn beside it in figures 3, 4 and 6; 3, 5 and 6 have the images in which they differ most',
    )
    parser.add_argument(
        '--classes',
        nargs=2,
        metavar='NAME',
        help='of figure 2, the reverse attention and the recalibration; the most confused by default',
    )
    parser.add_argument('--images', type=positive, default=100, help='how many to look at')
    parser.add_argument('--rows', type=positive, default=6, help='how many to draw')
    parser.add_argument('--out', type=Path, default=Path('figures'), help='the folder to draw into')
    return run(draw, parser, argv)


def draw(args: argparse.Namespace) -> None:
    cfg = load_config(args, needs='test_dataloader')
    check_data(cfg, splits=('test',))
    models = {'ours': load_model(cfg, args.checkpoint)}
    papers = papers_of(models['ours'])
    if not papers:
        raise ConfigError(
            f'{args.config} has no ReverseAttentionHead, ScaleAttentionHead or RegionAttentionHead: '
            'give a config with one of them here and the other as --baseline'
        )
    if args.baseline:
        other = Config.fromfile(find_config(args.baseline[0]))
        models = {'baseline': load_model(other, args.baseline[1]), **models}
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    samples = [
        look(dataset[index], list(models.values())) for index in tqdm(spread(len(dataset), args.images), desc='images')
    ]
    pair = pick_pair(args.classes, samples, dataset.metainfo['classes'])
    args.out.mkdir(parents=True, exist_ok=True)
    files = [
        file
        for draw_figures in papers
        for file in draw_figures(args.out, samples, list(models)[:-1], dataset.metainfo, pair, args.rows)
    ]
    print('drawn: ' + ', '.join(map(str, files)))


def papers_of(model: nn.Module) -> list[Callable[..., list[Path]]]:
    """What draws the figures of each paper that is in the model."""
    head = getattr(model, 'decode_head', None)
    there = {
        draw_ran_figures: isinstance(head, ReverseAttentionHead),
        draw_scale_attention_figures: getattr(model, 'attends', False),
        draw_ranet_figures: isinstance(head, RegionAttentionHead),
    }
    return [draw_figures for draw_figures, has in there.items() if has]


def pick_pair(names: Sequence[str] | None, samples: list[Sample], classes: Sequence[str]) -> tuple[int, int]:
    """The indices of the classes asked for, or of the two most confused.

    Raises:
        ConfigError: There is no class of that name.
    """
    if names is None:
        return most_confused(samples, len(classes))
    for name in names:
        if name not in classes:
            raise ConfigError(f'no class {name!r}: the data set has {", ".join(classes)}')
    return classes.index(names[0]), classes.index(names[1])
