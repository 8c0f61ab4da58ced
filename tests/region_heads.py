"""Small RANet heads and their inputs, for tests."""

import torch
from mmengine.structures import PixelData

from mmrev.datasets.transforms import boundary_labels
from mmrev.models import RegionAttentionHead

NARROW = dict(in_channels=8, in_index=1, channels=6, num_representatives=2, dropout_ratio=0)
OPTIONS = {
    'RANet': {},
    'boundary map': dict(use_semantic=False),
    'semantic map': dict(use_boundary=False),
    'no intra': dict(intra=False),
    'no inter': dict(inter=False),
    'end points': dict(end_points=True),
    "authors' code": dict(similarity='binary_jsd', scope='image', coarse_in_index=0, coarse_in_channels=6),
    "authors' layout": dict(
        layout='authors',
        similarity='binary_jsd',
        temperature=1,
        coarse_in_index=0,
        coarse_in_channels=6,
        semantic_weight=0.4,
    ),
}


def with_boundaries(samples):
    for sample in samples:
        edges = boundary_labels(sample.gt_sem_seg.data[0].byte().numpy())
        sample.gt_edge_map = PixelData(data=torch.from_numpy(edges)[None].long())
    return samples


def build(**options):
    head = RegionAttentionHead(**{'num_classes': 5, **NARROW, **options})
    head.init_weights()
    return head


def features(batch=2):
    return [torch.randn(batch, 6, 12, 16), torch.randn(batch, 8, 6, 8)]
