"""The boundary labels of training samples, for ``RegionAttentionHead``."""

import torch
from mmseg.structures import SegDataSample
from mmseg.utils import SampleList
from torch import Tensor

from mmrev.errors import DataError


def boundary_maps(samples: SampleList) -> Tensor:
    """The boundary labels of training samples, [B, H, W].

    Raises:
        DataError: A sample has none, or labels of another size than its mask.
    """
    for sample in samples:
        if not _has_boundaries(sample):
            raise DataError(
                f'{sample.get("img_path", "a sample")} has no boundary labels of the size of its mask: '
                "put dict(type='mmrev.BoundaryLabels') into the training pipeline, right before PackSegInputs"
            )
    return torch.cat([sample.gt_edge_map.data for sample in samples])


def _has_boundaries(sample: SegDataSample) -> bool:
    return 'gt_edge_map' in sample and sample.gt_edge_map.shape == sample.gt_sem_seg.shape
