"""Tiny trained models for the tests of predictions: a config file and a checkpoint."""

from pathlib import Path

import tiny_runs
import torch
from mmengine.registry import MODELS, DefaultScope

CLASSES = ('sky', 'road', 'car')
PALETTE = [[10, 20, 30], [200, 0, 0], [0, 200, 0]]


def save_model(folder: Path, kind: str, meta: dict | None = None, *, seed: int = 0, **changes) -> tuple[str, str]:
    """Writes the config and the checkpoint of a ``tiny_runs`` model. ``changes`` are merged into its config."""
    folder.mkdir(parents=True, exist_ok=True)
    cfg = getattr(tiny_runs, kind)(folder / 'data')
    cfg.merge_from_dict(changes)
    torch.manual_seed(seed)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = MODELS.build(cfg.model)
    checkpoint = folder / f'{kind}.pth'
    torch.save(dict(state_dict=model.state_dict(), meta=meta or {}), checkpoint)
    return tiny_runs.save(cfg, folder / f'{kind}.py'), str(checkpoint)


def save_segmenter(folder: Path, **changes) -> tuple[str, str]:
    """A segmentation model of the three classes, which its checkpoint names. ``changes`` are merged into its config."""
    meta = dict(dataset_meta=dict(classes=CLASSES, palette=PALETTE))
    return save_model(folder, 'segmentation', meta, **{'model.decode_head.num_classes': 3}, **changes)
