"""Pipeline steps."""
import numpy as np
from mmcv.transforms import BaseTransform

from mmrev.errors import DataError
from mmrev.registry import TRANSFORMS


def check_labels(mask: np.ndarray, image_shape: tuple[int, int], num_classes: int, path: str,
                 ignore_index: int = 255) -> None:
    """Raises DataError unless a mask [H, W] has its image's size and only labels below ``num_classes``."""
    if mask.shape != tuple(image_shape):
        raise DataError(f'{path}: the mask is {mask.shape} and its image {tuple(image_shape)} (height, width): '
                        'expected the same size; export the mask again')
    wrong = np.unique(mask[(mask >= num_classes) & (mask != ignore_index)])
    if len(wrong):
        raise DataError(f'{path}: label {", ".join(map(str, wrong[:5]))} in the mask, expected 0 to {num_classes - 1} '
                        f'or {ignore_index} (ignored); check the label conversion and reduce_zero_label')


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
        check_labels(results['gt_seg_map'], results['ori_shape'], self.num_classes, results['seg_map_path'],
                     self.ignore_index)
        return results
