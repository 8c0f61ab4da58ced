import cv2
import numpy as np
import pytest
from mmseg.datasets.transforms import LoadAnnotations

from mmrev.datasets import CamVidDataset, NYUDv2Dataset, PascalPersonPartDataset
from mmrev.datasets.transforms import CheckLabels, check_labels
from mmrev.errors import DataError


@pytest.fixture
def labels(tmp_path):
    """The labels that a data set makes of the values in a mask."""

    def load(cls, *values: int, **kwargs) -> list[int]:
        for folder, suffix in (('images', cls(lazy_init=True).img_suffix), ('masks', '.png')):
            (tmp_path / folder).mkdir()
            cv2.imwrite(str(tmp_path / folder / f'a{suffix}'), np.array([values] * 2, np.uint8))
        dataset = cls(data_root=str(tmp_path), data_prefix=dict(img_path='images', seg_map_path='masks'), **kwargs)
        return LoadAnnotations()(dataset.get_data_info(0))['gt_seg_map'][0].tolist()

    return load


@pytest.mark.parametrize(('cls', 'classes'), [(CamVidDataset, 11), (NYUDv2Dataset, 40), (PascalPersonPartDataset, 7)])
def test_classes_and_their_colours(cls, classes):
    meta = cls(lazy_init=True).metainfo
    assert len(meta['classes']) == len(set(meta['classes'])) == classes
    assert len(meta['palette']) == len({tuple(colour) for colour in meta['palette']}) == classes


def test_camvid_ignores_the_unlabelled(labels):
    assert labels(CamVidDataset, 0, 3, 10, 11, 255) == [0, 3, 10, 255, 255]


def test_camvid_with_classes_of_the_user(labels):
    chosen = dict(classes=('road', 'car'))
    assert labels(CamVidDataset, 3, 8, 0, 11, metainfo=chosen) == [0, 1, 255, 255]


@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
def test_camvid_takes_either_kind_of_image(suffix, tmp_path):
    cv2.imwrite(str(tmp_path / f'a{suffix}'), np.zeros((2, 2, 3), np.uint8))
    dataset = CamVidDataset(
        data_root=str(tmp_path), data_prefix=dict(img_path='', seg_map_path=''), serialize_data=False
    )
    assert [info['img_path'] for info in dataset.data_list] == [str(tmp_path / f'a{suffix}')]


def test_nyudv2_ignores_zero(labels):
    assert labels(NYUDv2Dataset, 0, 1, 40) == [255, 0, 39]


def test_person_part_keeps_its_background(labels):
    assert labels(PascalPersonPartDataset, 0, 6, 255) == [0, 6, 255]


def sample(mask: np.ndarray) -> dict:
    return dict(gt_seg_map=mask, ori_shape=(4, 6), seg_map_path='a.png')


def test_check_labels_lets_good_masks_through():
    mask = np.array([[0, 6, 255, 1, 2, 3]] * 4, np.uint8)
    assert CheckLabels(num_classes=7)(sample(mask))['gt_seg_map'] is mask


@pytest.mark.parametrize(
    ('mask', 'message'),
    [
        (np.full((4, 6), 7), r'a\.png: label 7 in the mask, expected 0 to 6 or 255 \(ignored\)'),
        (np.zeros((6, 4)), r'a\.png: the mask is \(6, 4\) and its image \(4, 6\)'),
    ],
)
def test_check_labels_names_the_file(mask, message):
    with pytest.raises(DataError, match=message):
        CheckLabels(num_classes=7)(sample(mask.astype(np.uint8)))


def test_check_labels_with_another_ignored_label():
    check_labels(np.array([[9]]), (1, 1), 7, 'a.png', ignore_index=9)
    with pytest.raises(DataError, match='label 255'):
        check_labels(np.array([[255]]), (1, 1), 7, 'a.png', ignore_index=9)
