"""Segmentation data sets that mmseg does not have."""

from collections.abc import Sequence

from mmseg.datasets import BaseSegDataset

from mmrev.registry import DATASETS


@DATASETS.register_module()
class PascalPersonPartDataset(BaseSegDataset):
    """PASCAL Person-Part (Chen et al., CVPR 2014): background and six body parts, 1,716 train and 1,817 val images.

    The masks have 0 for the background, 1 to 6 for the parts, and 255 for ignored pixels.

    Example:
        >>> len(PascalPersonPartDataset.METAINFO['classes'])
        7
    """

    METAINFO = dict(
        classes=('background', 'head', 'torso', 'upper arm', 'lower arm', 'upper leg', 'lower leg'),
        palette=[[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128], [128, 0, 128], [0, 128, 128]],
    )

    def __init__(self, img_suffix: str = '.jpg', seg_map_suffix: str = '.png', **kwargs) -> None:
        super().__init__(img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)


@DATASETS.register_module()
class NYUDv2Dataset(BaseSegDataset):
    """NYU Depth v2 with the 40 classes of Gupta et al. (CVPR 2013), RGB only, 795 train and 654 test images.

    The masks have 0 for unlabelled pixels, which are ignored, and 1 to 40 for the classes.

    Example:
        >>> len(NYUDv2Dataset.METAINFO['classes'])
        40
    """

    METAINFO = dict(
        classes=(
            'wall',
            'floor',
            'cabinet',
            'bed',
            'chair',
            'sofa',
            'table',
            'door',
            'window',
            'bookshelf',
            'picture',
            'counter',
            'blinds',
            'desk',
            'shelves',
            'curtain',
            'dresser',
            'pillow',
            'mirror',
            'floor mat',
            'clothes',
            'ceiling',
            'books',
            'refrigerator',
            'television',
            'paper',
            'towel',
            'shower curtain',
            'box',
            'whiteboard',
            'person',
            'night stand',
            'toilet',
            'sink',
            'lamp',
            'bathtub',
            'bag',
            'other structure',
            'other furniture',
            'other prop',
        )
    )

    def __init__(
        self, img_suffix: str = '.jpg', seg_map_suffix: str = '.png', reduce_zero_label: bool = True, **kwargs
    ) -> None:
        super().__init__(
            img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, reduce_zero_label=reduce_zero_label, **kwargs
        )


@DATASETS.register_module()
class CamVidDataset(BaseSegDataset):
    """CamVid in 480 x 360 (Brostow et al., 2009) with the 11 classes of SegNet: 367 train, 101 val and 233 test images.

    The masks have 0 to 10 for the classes, and 11 for unlabelled pixels, which are ignored. The images are PNG, as
    SegNet has them, or JPEG.

    Example:
        >>> CamVidDataset.get_label_map()
        {11: 255}
    """

    METAINFO = dict(
        classes=(
            'sky',
            'building',
            'pole',
            'road',
            'pavement',
            'tree',
            'sign',
            'fence',
            'car',
            'pedestrian',
            'bicyclist',
        ),
        palette=[
            [128, 128, 128],
            [128, 0, 0],
            [192, 192, 128],
            [128, 64, 128],
            [60, 40, 222],
            [128, 128, 0],
            [192, 128, 128],
            [64, 64, 128],
            [64, 0, 128],
            [64, 64, 0],
            [0, 128, 192],
        ],
    )

    img_suffix: str

    def __init__(self, img_suffix: str = '.png', seg_map_suffix: str = '.png', **kwargs) -> None:
        super().__init__(img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)

    def load_data_list(self) -> list[dict]:
        images = super().load_data_list()
        if not images and not self.ann_file and self.img_suffix == '.png':
            self.img_suffix = '.jpg'
            images = super().load_data_list()
        return images

    @classmethod
    def get_label_map(cls, new_classes: Sequence[str] | None = None) -> dict[int, int]:
        return {**(super().get_label_map(new_classes) or {}), len(cls.METAINFO['classes']): 255}
