"""Draws RAN's figures 2 and 4 from trained models."""
import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS
from mmseg.models import EncoderDecoder
from torch.nn import functional as F
from tqdm import tqdm

from mmrev.datasets.checks import check_data
from mmrev.errors import ConfigError
from mmrev.visualization.filter_responses import draw_filter_responses, normalized_responses, strongest
from mmrev.visualization.ran_figures import (
    Sample,
    by_confusion,
    draw_comparison,
    draw_probabilities,
    look,
    most_confused,
)

from .common import config_parser, find_config, load_config, run
from .trained import load_model


def main(argv: Sequence[str] | None = None) -> int:
    parser = config_parser('draw', "Draw RAN's figures 2 and 4 on the images of the test data set.", runs=False)
    parser.add_argument('checkpoint', help='of the config, which has a ReverseAttentionHead')
    parser.add_argument('--baseline', nargs=2, metavar=('CONFIG', 'CHECKPOINT'), help='drawn beside it in figure 4')
    parser.add_argument('--classes', nargs=2, metavar='NAME', help='of figure 2; the most confused two by default')
    parser.add_argument('--images', type=int, default=100, help='how many to look at')
    parser.add_argument('--rows', type=int, default=6, help='how many to draw')
    parser.add_argument('--out', type=Path, default=Path('figures'), help='the folder to draw into')
    return run(draw, parser, argv)


def draw(args: argparse.Namespace) -> None:
    cfg = load_config(args, needs='test_dataloader')
    check_data(cfg, splits=('test',))
    models = {'RAN': load_model(cfg, args.checkpoint)}
    if not hasattr(models['RAN'].decode_head, 'forward_branches'):
        raise ConfigError(f'{args.config} has no ReverseAttentionHead: give the RAN here and the other as --baseline')
    if args.baseline:
        other = Config.fromfile(find_config(args.baseline[0]))
        models = {'baseline': load_model(other, args.baseline[1]), **models}
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    indices = np.unique(np.linspace(0, len(dataset) - 1, min(args.images, len(dataset))).astype(int))
    items = [dataset[int(index)] for index in tqdm(indices, desc='images')]
    samples = [look(item, list(models.values())) for item in tqdm(items, desc='predictions')]
    classes, palette = dataset.metainfo['classes'], dataset.metainfo['palette']
    pair = pick_pair(args.classes, samples, classes)
    shown = by_confusion(samples, pair)[:args.rows]
    responses = mean_responses(models['RAN'], items, pair)
    args.out.mkdir(parents=True, exist_ok=True)
    files = [draw_comparison(args.out / 'figure4.png', shown, list(models), classes, palette, pair),
             draw_probabilities(args.out / 'figure2_probabilities.png', shown, classes, pair),
             draw_filter_responses(args.out / 'figure2_filters.png', responses, [classes[i] for i in pair],
                                   strongest(responses))]
    print('drawn: ' + ', '.join(map(str, files)))


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


@torch.no_grad()
def mean_responses(model: EncoderDecoder, items: Sequence[dict], pair: tuple[int, int]) -> list[np.ndarray]:
    """Normalised responses of the classified feature map's filters to two classes, over the images that hold them."""
    found: tuple[list, list] = ([], [])
    for item in items:
        batch = model.data_preprocessor(pseudo_collate([item]))
        features = model.decode_head._transform_inputs(model.extract_feat(batch['inputs']))
        truth = item['data_samples'].gt_sem_seg.data[None].float()
        labels = F.interpolate(truth, features.shape[2:], mode='nearest')[0, 0].numpy()
        for label, responses in zip(pair, found, strict=True):
            if (labels == label).any():
                responses.append(normalized_responses(features[0].cpu().numpy(), labels, label))
    return [np.mean(responses, 0) if responses else np.zeros(model.decode_head.in_channels) for responses in found]
