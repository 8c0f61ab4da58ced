"""``mmrev draw``: draws the figures of RAN, scale attention and RANet from trained models."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import DATASETS
from torch import nn
from tqdm import tqdm

from mmrev.config_files import find_config
from mmrev.datasets.checks import check_data
from mmrev.datasets.spread import spread
from mmrev.engine.trained_model import load_model
from mmrev.errors import ConfigError
from mmrev.models.decode_heads.region_attention_head import RegionAttentionHead
from mmrev.models.decode_heads.reverse_attention_head import ReverseAttentionHead
from mmrev.models.decode_heads.reverse_attention_wrapper import ReverseAttentionWrapper
from mmrev.visualization.ran_figures import draw_ran_figures
from mmrev.visualization.ranet_figures import draw_ranet_figures
from mmrev.visualization.samples import Sample, look, most_confused
from mmrev.visualization.scale_attention_figures import draw_scale_attention_figures

from .arguments import config_parser
from .configs import load_config
from .predict_options import positive
from .running import run

HEADS = 'reverse branch, ScaleAttentionHead or RegionAttentionHead'


def main(argv: Sequence[str] | None = None) -> int:
    parser = config_parser(
        'draw',
        "Draw RAN's figures 2 and 4, scale attention's figure 3, or RANet's figures 5 and 6: all that the model has. "
        'The images are those of the test data set.',
    )
    parser.add_argument('checkpoint', help=f'a checkpoint of this config; its model has a {HEADS}')
    parser.add_argument(
        '--baseline',
        nargs=2,
        metavar=('CONFIG', 'CHECKPOINT'),
        help='a second model; figures 3, 4 and 6 show it too, and figures 3, 5 and 6 show the images in which the two '
        'models differ most',
    )
    parser.add_argument(
        '--classes',
        nargs=2,
        metavar='NAME',
        help='two classes for figure 2, reverse attention and recalibration (default: the two most confused)',
    )
    parser.add_argument('--images', type=positive, default=100, help='the number of images to predict (default: 100)')
    parser.add_argument('--rows', type=positive, default=6, help='the number of images to draw (default: 6)')
    parser.add_argument('--out', type=Path, default=Path('figures'), help='the folder to draw into (default: figures)')
    return run(draw, parser, argv)


def draw(args: argparse.Namespace) -> None:
    cfg = load_config(args, needs='test_dataloader')
    check_data(cfg, splits=('test',))
    models = {'ours': load_model(cfg, args.checkpoint)}
    papers = papers_of(models['ours'])
    if not papers:
        raise ConfigError(
            f'{args.config} has no {HEADS}: give a config with one of them here and the other as --baseline'
        )
    if args.baseline:
        other = Config.fromfile(find_config(args.baseline[0]))
        models = {'baseline': load_model(other, args.baseline[1]), **models}
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    indices = tqdm(spread(len(dataset), args.images), desc='images')
    samples = [look(dataset[index], list(models.values())) for index in indices]
    pair = pick_pair(args.classes, samples, dataset.metainfo['classes'])
    args.out.mkdir(parents=True, exist_ok=True)
    files = []
    for draw_figures in papers:
        files += draw_figures(args.out, samples, list(models)[:-1], dataset.metainfo, pair, args.rows)
    print('drawn: ' + ', '.join(map(str, files)))


def papers_of(model: nn.Module) -> list[Callable[..., list[Path]]]:
    """Returns, for each paper whose method is in the model, the function that draws its figures."""
    head = getattr(model, 'decode_head', None)
    papers: list[Callable[..., list[Path]]] = []
    if isinstance(head, (ReverseAttentionHead, ReverseAttentionWrapper)):
        papers.append(draw_ran_figures)
    if getattr(model, 'attends', False):
        papers.append(draw_scale_attention_figures)
    if isinstance(head, RegionAttentionHead):
        papers.append(draw_ranet_figures)
    return papers


def pick_pair(names: Sequence[str] | None, samples: list[Sample], classes: Sequence[str]) -> tuple[int, int]:
    """Returns the indices of two classes: the named ones, or the two most confused.

    Raises:
        ConfigError: There is no class of that name.
    """
    if names is None:
        return most_confused(samples, len(classes))
    for name in names:
        if name not in classes:
            raise ConfigError(f'no class {name!r}: the data set has {", ".join(classes)}')
    return classes.index(names[0]), classes.index(names[1])
