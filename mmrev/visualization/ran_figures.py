"""Figures 2 and 4 of RAN, and the reverse attention of two confused classes.

Shapes: B batch, N classes, H x W the image, h x w the feature map.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from mmseg.models import EncoderDecoder
from torch import Tensor

from .filter_responses import draw_filter_responses, mean_responses, strongest
from .panel import save_panel
from .samples import Sample, at_image_size, by_confusion, inputs_of, labelled, predict


def draw_ran_figures(
    folder: Path, samples: Sequence[Sample], baselines: Sequence[str], metainfo: dict, pair: tuple[int, int], rows: int
) -> list[Path]:
    """Writes figures 2 and 4 of samples whose last model has a ``ReverseAttentionHead``.

    Args:
        folder: Where to.
        samples: Of which to choose the rows.
        baselines: The names of the models before it.
        metainfo: The data set's, with ``classes`` and ``palette``.
        pair: The two classes whose maps are drawn.
        rows: How many samples are drawn, at most.
    """
    shown, classes = by_confusion(samples, pair)[:rows], metainfo['classes']
    responses = mean_responses(samples, pair)
    return [
        draw_comparison(folder / 'figure4.png', shown, [*baselines, 'RAN'], classes, metainfo['palette'], pair),
        draw_probabilities(folder / 'figure2_probabilities.png', shown, classes, pair),
        draw_filter_responses(
            folder / 'figure2_filters.png', responses, [classes[i] for i in pair], strongest(responses)
        ),
    ]


@torch.no_grad()
def attention_maps(model: EncoderDecoder, inputs: Tensor) -> Tensor:
    """Reverse attention to every class, [B, N, h, w], for the normalised ``inputs`` [B, 3, H, W].

    Of a multi-scale model: the attention that its fused original scores ask for.
    """
    scores = (
        model.score_maps(inputs)
        if hasattr(model, 'score_maps')
        else model.decode_head.forward_branches(model.extract_feat(inputs))
    )
    return model.decode_head.attention(scores.original)


def draw_comparison(
    path: str | Path,
    samples: Sequence[Sample],
    methods: Sequence[str],
    classes: Sequence[str],
    palette: Sequence[Sequence[int]],
    pair: tuple[int, int],
) -> Path:
    """Figure 4: rows of image, ground truth and each method's labels; and the last one's attention to two classes."""
    rows = [
        [
            *labelled(sample, palette),
            *at_image_size(sample, attention_maps(sample.model, inputs_of(sample))[:, list(pair)]),
        ]
        for sample in samples
    ]
    titles = ['image', 'ground truth', *methods, *(f'reverse attention: {classes[i]}' for i in pair)]
    return save_panel(path, rows, titles)


def draw_probabilities(
    path: str | Path, samples: Sequence[Sample], classes: Sequence[str], pair: tuple[int, int]
) -> Path:
    """Figure 2's class-wise probability maps of two classes by the last method, beside the image."""
    rows = []
    for sample in samples:
        probabilities = predict(sample.item, sample.model).seg_logits.data.softmax(0)
        rows.append([sample.image, *probabilities[list(pair)].cpu().numpy()])
    return save_panel(path, rows, ['image', *(f'probability: {classes[index]}' for index in pair)])
