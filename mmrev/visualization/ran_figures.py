"""Figures 2 and 4 of RAN, and its reverse attention to two confused classes.

``mmrev draw <config> <checkpoint>`` draws them.

Shapes: B batch, N classes, H x W the image, h x w the feature map.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from mmseg.models import EncoderDecoder
from torch import Tensor

from mmrev.models.decode_heads.reverse_attention_head import BranchScores, ReverseAttentionHead

from .filter_responses import draw_filter_responses, mean_responses, strongest
from .panel import save_panel
from .samples import Sample, at_image_size, by_confusion, inputs_of, labelled, predict


def draw_ran_figures(
    folder: Path, samples: Sequence[Sample], baselines: Sequence[str], metainfo: dict, pair: tuple[int, int], rows: int
) -> list[Path]:
    """Draws figures 2 and 4 for a model with a ``ReverseAttentionHead`` or a ``ReverseAttentionWrapper``.

    Args:
        folder: The folder of the files.
        samples: The samples to choose rows from. Their last model is the one with the head.
        baselines: The names of the other models.
        metainfo: That of the data set, with ``classes`` and ``palette``.
        pair: The two classes to draw maps of.
        rows: The largest number of rows.

    Returns:
        The paths of the files.
    """
    shown, classes = by_confusion(samples, pair)[:rows], metainfo['classes']
    responses, names = mean_responses(samples, pair), [classes[index] for index in pair]
    return [
        draw_comparison(folder / 'figure4.png', shown, [*baselines, 'RAN'], classes, metainfo['palette'], pair),
        draw_probabilities(folder / 'figure2_probabilities.png', shown, classes, pair),
        draw_filter_responses(folder / 'figure2_filters.png', responses, names, strongest(responses)),
    ]


@torch.no_grad()
def attention_maps(model: EncoderDecoder, inputs: Tensor) -> Tensor:
    """Computes the reverse attention to every class, [B, N, h, w], for normalised ``inputs`` [B, 3, H, W].

    In a multi-scale model it is the attention for the fused original scores.

    Example:
        >>> head = dict(type='mmrev.ReverseAttentionHead', in_channels=32, in_index=3, num_classes=5)
        >>> model = EncoderDecoder(backbone=dict(type='ResNet', depth=18, base_channels=4), decode_head=head)
        >>> attention_maps(model.eval(), torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 5, 2, 2])
    """
    return attention_of(model, branch_scores(model, inputs))


@torch.no_grad()
def branch_scores(model: EncoderDecoder, inputs: Tensor) -> BranchScores:
    """Computes the scores of the three branches, [B, N, h, w] each. In a multi-scale model they are fused."""
    if hasattr(model, 'score_maps'):
        return model.score_maps(inputs)
    return model.decode_head.forward_branches(model.extract_feat(inputs))


def attention_of(model: EncoderDecoder, scores: BranchScores) -> Tensor:
    """Computes a model's reverse attention to every class, [B, N, h, w], from the scores of its branches."""
    head = model.decode_head
    attend = head.attention if isinstance(head, ReverseAttentionHead) else head.reverse_attention
    return attend(scores.original)


def draw_comparison(
    path: str | Path,
    samples: Sequence[Sample],
    methods: Sequence[str],
    classes: Sequence[str],
    palette: Sequence[Sequence[int]],
    pair: tuple[int, int],
) -> Path:
    """Draws figure 4. A row has the image, the ground truth, the labels of each method, and two attention maps.

    The attention is that of the last method to the two classes of ``pair``.
    """
    rows = []
    for sample in samples:
        attention = attention_maps(sample.model, inputs_of(sample))[:, list(pair)]
        rows.append([*labelled(sample, palette), *at_image_size(sample, attention)])
    titles = ['image', 'ground truth', *methods, *(f'reverse attention: {classes[index]}' for index in pair)]
    return save_panel(path, rows, titles)


def draw_probabilities(
    path: str | Path, samples: Sequence[Sample], classes: Sequence[str], pair: tuple[int, int]
) -> Path:
    """Draws the probability maps of figure 2. A row has the image and the maps of two classes by the last method."""
    rows = []
    for sample in samples:
        probabilities = predict(sample.item, sample.model).seg_logits.data.softmax(0)
        rows.append([sample.image, *probabilities[list(pair)].cpu().numpy()])
    return save_panel(path, rows, ['image', *(f'probability: {classes[index]}' for index in pair)])
