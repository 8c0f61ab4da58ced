"""Pipeline steps."""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmrev.errors import ConfigError, DataError
from mmrev.registry import TRANSFORMS


def check_labels(
    mask: np.ndarray, image_shape: tuple[int, int], num_classes: int, path: str, ignore_index: int = 255
) -> None:
    """Raises DataError unless a mask [H, W] has its image's size and only labels below ``num_classes``."""
    if mask.shape != tuple(image_shape):
        raise DataError(
            f'{path}: the mask is {mask.shape} and its image {tuple(image_shape)} (height, width): '
            'expected the same size; export the mask again'
        )
    wrong = np.unique(mask[(mask >= num_classes) & (mask != ignore_index)])
    if len(wrong):
        raise DataError(
            f'{path}: label {", ".join(map(str, wrong[:5]))} in the mask, expected 0 to {num_classes - 1} '
            f'or {ignore_index} (ignored); check the label conversion and reduce_zero_label'
        )


@TRANSFORMS.register_module()
class CheckLabels(BaseTransform):
    """Stops at a mask whose size or labels are wrong, and names the file; goes right after ``LoadAnnotations``.

    Without it a label that is too high ends in a CUDA assertion somewhere else, and a mask of another size in a crop
    that does not fit.

    Args:
        num_classes: Legal labels are 0 to num_classes - 1, and ``ignore_index``.

    Raises:
        DataError: A mask is wrong.
    """

    def __init__(self, num_classes: int, ignore_index: int = 255) -> None:
        self.num_classes = num_classes
        self.ignore_index = ignore_index

    def transform(self, results: dict) -> dict:
        check_labels(
            results['gt_seg_map'], results['ori_shape'], self.num_classes, results['seg_map_path'], self.ignore_index
        )
        return results


# in boundary labels, whatever it is in the mask
IGNORED = 255


def boundary_labels(mask: np.ndarray, radius: float = 2, ignore_index: int = 255) -> np.ndarray:
    """Where another class is within ``radius`` pixels (straight distance): [H, W] -> [H, W] uint8.

    1 at boundaries, 0 elsewhere, 255 where the mask has ``ignore_index``; ignored pixels are no class of their own.
    """
    reach = int(radius)
    offsets = np.arange(-reach, reach + 1)
    disc = (offsets[:, None] ** 2 + offsets**2 <= radius**2).astype(np.uint8)
    known = mask != ignore_index
    labels = mask.astype(np.int16)
    highest = cv2.dilate(np.where(known, labels, -1).astype(np.int16), disc)
    lowest = cv2.erode(np.where(known, labels, np.iinfo(np.int16).max).astype(np.int16), disc)
    boundary = (highest != labels) | (lowest != labels)
    return np.where(known, boundary, IGNORED).astype(np.uint8)


@TRANSFORMS.register_module()
class BoundaryLabels(BaseTransform):
    """Adds ``gt_edge_map``, the labels of RANet's boundary score map; goes behind all that changes the mask.

    Args:
        radius: A pixel is on a boundary if another class is within so many pixels, in a straight line.
        ignore_index: The mask's; ignored in the labels too, as 255.

    Raises:
        ConfigError: There is no mask at this place in the pipeline.
    """

    def __init__(self, radius: float = 2, ignore_index: int = 255) -> None:
        self.radius = radius
        self.ignore_index = ignore_index

    def transform(self, results: dict) -> dict:
        if 'gt_seg_map' not in results:
            raise ConfigError('BoundaryLabels finds no mask: it goes behind LoadAnnotations, before PackSegInputs')
        results.setdefault('seg_fields', []).append('gt_edge_map')  # for a flip or crop behind it
        results['gt_edge_map'] = boundary_labels(results['gt_seg_map'], self.radius, self.ignore_index)
        return results
