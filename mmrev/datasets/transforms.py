"""Pipeline steps for masks.

Shapes: H x W the image.
"""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmrev.arguments import Count, Index, Positive
from mmrev.errors import ConfigError, DataError
from mmrev.registry import TRANSFORMS


def check_labels(
    mask: np.ndarray, image_shape: tuple[int, int], num_classes: int, path: str, ignore_index: int = 255
) -> None:
    """Checks that a mask has the size of its image and no unknown label.

    Args:
        mask: The labels [H, W].
        image_shape: H and W of the image.
        num_classes: The known labels are 0 to num_classes - 1.
        path: The file, for the error.
        ignore_index: Another label that is allowed.

    Raises:
        DataError: The size or a label is wrong.

    Example:
        >>> check_labels(np.array([[0, 10], [255, 3]]), (2, 2), num_classes=11, path='a.png')
        >>> check_labels(np.array([[30]]), (1, 1), num_classes=11, path='a.png')
        Traceback (most recent call last):
        mmrev.errors.DataError: a.png: label 30 in the mask, expected 0 to 10 or 255 (ignored); ...
    """
    if mask.ndim == 3:
        raise DataError(
            f'{path} is a colour mask (height, width, channels: {mask.shape}): expected one label a pixel; '
            '`mmrev new-config` converts such masks'
        )
    if mask.shape != tuple(image_shape):
        raise DataError(
            f'{path}: the mask is {mask.shape} and its image {tuple(image_shape)} (height, width): '
            'expected the same size; export the mask again'
        )
    wrong = np.unique(mask[(mask >= num_classes) & (mask != ignore_index)])
    if len(wrong):
        one_more = wrong[0] == num_classes and len(wrong) == 1 and not (mask == 0).any()
        remedy = 'if the masks start at 1, set' if one_more else 'check the label conversion and'
        raise DataError(
            f'{path}: label {", ".join(map(str, wrong[:5]))} in the mask, expected 0 to {num_classes - 1} '
            f'or {ignore_index} (ignored); {remedy} reduce_zero_label{"=True" if one_more else ""}'
        )


@TRANSFORMS.register_module()
class CheckLabels(BaseTransform):
    """Stops at a mask with a wrong size or label, and names the file. It belongs right after ``LoadAnnotations``.

    Without this step, a label that is too high causes a CUDA assertion elsewhere, and a mask of another size causes a
    crop that does not fit.

    Args:
        num_classes: The known labels are 0 to num_classes - 1.
        ignore_index: Another label that is allowed.

    Raises:
        DataError: A mask is wrong.

    Example:
        >>> mask = np.array([[0, 10]])
        >>> results = dict(gt_seg_map=mask, ori_shape=(1, 2), seg_map_path='a.png')
        >>> CheckLabels(num_classes=11)(results) is results
        True
    """

    def __init__(self, num_classes: Count, ignore_index: Index = 255) -> None:
        self.num_classes = num_classes
        self.ignore_index = ignore_index

    def transform(self, results: dict) -> dict:
        check_labels(
            results['gt_seg_map'], results['ori_shape'], self.num_classes, results['seg_map_path'], self.ignore_index
        )
        return results


IGNORED = 255  # in the boundary labels, for every ignore_index of the mask


def boundary_labels(mask: np.ndarray, radius: Positive = 2, ignore_index: Index = 255) -> np.ndarray:
    """Labels the pixels that have another class within ``radius`` pixels, by Euclidean distance.

    Args:
        mask: Labels [H, W].
        radius: The distance in pixels.
        ignore_index: The label of ignored pixels. They count as no class.

    Returns:
        [H, W], uint8: 1 at boundaries, 0 elsewhere, 255 at ignored pixels.

    Example:
        >>> boundary_labels(np.array([[0, 0, 0, 1, 1, 1, 255]]), radius=1).tolist()
        [[0, 0, 1, 1, 0, 0, 255]]
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
    """Adds ``gt_edge_map``, the labels of RANet's boundary score map. It belongs after all steps that change the mask.

    Args:
        radius: A pixel is on a boundary if another class is within this Euclidean distance in pixels.
        ignore_index: The label of ignored pixels in the mask. The new labels have 255 there.

    Raises:
        ConfigError: There is no mask at this place in the pipeline.

    Example:
        >>> BoundaryLabels(radius=1)(dict(gt_seg_map=np.array([[0, 0, 1, 1]])))['gt_edge_map'].tolist()
        [[0, 1, 1, 0]]
    """

    def __init__(self, radius: Positive = 2, ignore_index: Index = 255) -> None:
        self.radius = radius
        self.ignore_index = ignore_index

    def transform(self, results: dict) -> dict:
        if 'gt_seg_map' not in results:
            raise ConfigError('BoundaryLabels finds no mask: put it after LoadAnnotations and before PackSegInputs')
        results.setdefault('seg_fields', []).append(
            'gt_edge_map'
        )  # a flip or crop after this step changes all of seg_fields
        results['gt_edge_map'] = boundary_labels(results['gt_seg_map'], self.radius, self.ignore_index)
        return results
