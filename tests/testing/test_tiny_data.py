import mmseg.datasets  # noqa: F401  (registers mmseg's classes)
import numpy as np
import pytest
from mmpretrain.registry import DATASETS as CLS_DATASETS
from mmseg.registry import DATASETS as SEG_DATASETS
from pycocotools.coco import COCO

from mmrev.errors import ConfigError, HostError
from mmrev.testing import make_tiny_dataset

SEG_PIPELINE = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]


def seg_cfg(kind, img, mask, ann_file=None, root='data/set', **kwargs):
    ann = dict(ann_file=ann_file) if ann_file else {}
    return dict(
        type=kind,
        data_root=root,
        data_prefix=dict(img_path=img, seg_map_path=mask),
        pipeline=SEG_PIPELINE,
        **ann,
        **kwargs,
    )


def voc_cfg(split, masks='SegmentationClass'):
    return seg_cfg('PascalVOCDataset', 'JPEGImages', masks, f'ImageSets/Segmentation/{split}.txt')


def context_cfg(kind, split):
    return seg_cfg(kind, 'JPEGImages', 'SegmentationClassContext', f'ImageSets/SegmentationContext/{split}.txt')


def read_segmentation(cfg, root, length):
    """Reads tiny data with the real class and mmseg's own transforms: the samples and the paths of their images."""
    dataset = SEG_DATASETS.build({**make_tiny_dataset(cfg, root, length=length), '_scope_': 'mmseg'})
    samples = [dataset[index] for index in range(len(dataset))]
    return samples, {sample['img_path'] for sample in samples}


SEGMENTATION = {
    'ade20k': (lambda s: seg_cfg('ADE20KDataset', f'images/{s}', f'annotations/{s}'), 150),
    'context59': (lambda s: context_cfg('PascalContextDataset59', s), 59),
    'context60': (lambda s: context_cfg('mmseg.PascalContextDataset', s), 60),
    'cityscapes': (lambda s: seg_cfg('CityscapesDataset', f'leftImg8bit/{s}', f'gtFine/{s}', root='/abs/city'), 19),
    'stuff': (lambda s: seg_cfg('COCOStuffDataset', f'{s}2017', f'masks/{s}2017'), 171),
    'voc': (voc_cfg, 21),
    'own': (lambda s: seg_cfg('mmrev.CamVidDataset', s, f'{s}annot'), 11),
    'outside': (lambda s: seg_cfg('ADE20KDataset', f'/abs/{s}/img', f'../{s}/mask', f'/lists/{s}.txt', root=None), 150),
}


@pytest.mark.parametrize('name', SEGMENTATION)
def test_segmentation_is_read_back_by_the_real_class(name, tmp_path):
    make_cfg, num_classes = SEGMENTATION[name]
    samples, train = read_segmentation(make_cfg('train'), tmp_path, 12)
    _, val = read_segmentation(make_cfg('val'), tmp_path, 3)
    assert (len(train), len(val)) == (12, 3) and not train & val
    assert all(path.startswith(str(tmp_path)) for path in train | val)
    labels = np.unique([sample['gt_seg_map'] for sample in samples])
    assert labels[-1] == 255 and labels[-2] < num_classes
    assert len(labels) > 0.8 * num_classes  # 12 x 48 draws
    assert samples[0]['img'].shape == (48, 64, 3) and samples[0]['img'].std() > 20
    assert not np.array_equal(samples[0]['img'], samples[1]['img'])


def test_wrappers_are_followed_and_cost_no_length(tmp_path):
    parts = [voc_cfg('train'), voc_cfg('aug', 'SegmentationClassAug')]
    cfg = dict(type='RepeatDataset', times=40000, dataset=dict(type='ConcatDataset', datasets=parts))
    samples, paths = read_segmentation(cfg, tmp_path, 2)
    assert len(samples) == len(paths) == 4
    assert cfg['times'] == 40000 and cfg['dataset']['datasets'][0] == voc_cfg('train')  # the caller's


def test_same_arguments_write_the_same_files(tmp_path):
    contents = []
    for part in ('a', 'b'):
        make_tiny_dataset(voc_cfg('val'), tmp_path / part)
        files = sorted(path for path in (tmp_path / part).rglob('*') if path.is_file())
        contents.append([(path.relative_to(tmp_path / part), path.read_bytes()) for path in files])
    assert contents[0] == contents[1] and len(contents[0]) == 9


def test_a_subset_of_classes_keeps_the_raw_values_of_all(tmp_path):
    cfg = {**voc_cfg('train'), 'metainfo': dict(classes=('person', 'sofa'))}
    samples, _ = read_segmentation(cfg, tmp_path, 12)
    assert set(np.unique([sample['gt_seg_map'] for sample in samples])) == {0, 1, 255}


@pytest.mark.parametrize(
    ('make_extra', 'labels'),
    [
        (lambda s: dict(type='ImageNet', split=s), [0, 1, 2, 3]),
        (lambda s: dict(type='ImageNet', data_prefix=s), [0, 1, 2, 3]),  # needs all of its 1000 folders
        (lambda s: dict(type='ImageNet', data_prefix=s, ann_file=f'meta/{s}.txt'), [0, 1, 2, 3]),
        (lambda s: dict(type='ImageNet', data_prefix=s, metainfo=dict(classes=('cat', 'dog'))), [0, 0, 1, 1]),
        (lambda s: dict(type='mmpretrain.CustomDataset', data_prefix=dict(img_path=s)), [0, 0, 1, 1]),
    ],
)
def test_classification_is_read_back_by_the_real_class(make_extra, labels, tmp_path):
    paths = {}
    for split in ('train', 'val'):
        cfg = dict(data_root='data/imagenet', pipeline=[dict(type='LoadImageFromFile')], **make_extra(split))
        dataset = CLS_DATASETS.build({**make_tiny_dataset(cfg, tmp_path), '_scope_': 'mmpretrain'})
        assert sorted(dataset.get_gt_labels()) == labels
        assert dataset[0]['img'].shape == (48, 64, 3)
        paths[split] = {dataset[index]['img_path'] for index in range(len(dataset))}
    assert len(paths['train'] | paths['val']) == 8


def coco_cfg(**kwargs):
    return dict(
        type='CocoDataset',
        data_root='data/coco/',
        ann_file='annotations/instances_train2017.json',
        data_prefix=dict(img='train2017/'),
        **kwargs,
    )


@pytest.mark.parametrize(('extra', 'num_classes'), [({}, 80), (dict(metainfo=dict(classes=('cell', 'nucleus'))), 2)])
def test_coco_json_is_consistent(extra, num_classes, tmp_path):
    cfg = make_tiny_dataset(coco_cfg(**extra), tmp_path)
    coco = COCO(f'{cfg["data_root"]}/{cfg["ann_file"]}')
    names = [category['name'] for category in coco.loadCats(coco.getCatIds())]
    assert len(names) == len(set(names)) == num_classes
    assert names == list(extra['metainfo']['classes']) if extra else names[9] == 'traffic light'
    assert len(coco.getImgIds()) == 4 and len(coco.getAnnIds()) == 8
    for annotation in coco.loadAnns(coco.getAnnIds()):
        (image,) = coco.loadImgs(annotation['image_id'])
        assert (tmp_path / 'data_coco' / 'train2017' / image['file_name']).is_file()
        x, y, w, h = annotation['bbox']
        assert coco.annToMask(annotation)[y : y + h, x : x + w].sum() == annotation['area'] == w * h
        assert x + w <= image['width'] and y + h <= image['height'] and annotation['category_id'] in coco.cats


@pytest.mark.parametrize('test_mode', [False, True])
def test_masks_need_the_names_of_the_classes(test_mode, tmp_path):
    cfg = seg_cfg('BaseSegDataset', 'img', 'mask', test_mode=test_mode)
    with pytest.raises(ConfigError, match=r'BaseSegDataset names no classes, .* metainfo=dict\(classes='):
        make_tiny_dataset(cfg, tmp_path)
    samples, _ = read_segmentation({**cfg, 'metainfo': dict(classes=('road', 'sky', 'tree'))}, tmp_path, 2)
    assert set(np.unique([sample['gt_seg_map'] for sample in samples])) == {0, 1, 2, 255}


@pytest.mark.parametrize('kind', ['CocoDataset', 'mmdet.CocoDataset', 'mmdet.LVISV1Dataset'])
def test_a_missing_host_says_what_to_install(kind, tmp_path, monkeypatch):
    monkeypatch.setattr('mmrev.hosts.host_problem', lambda host, ops=False: f'pip install {host}, operators: {ops}')
    with pytest.raises(HostError, match=f'^{kind} cannot be built: pip install mmdet, operators: True'):
        make_tiny_dataset({**coco_cfg(), 'type': kind}, tmp_path)


@pytest.mark.parametrize(
    ('cfg', 'names'),
    [
        (dict(type='CIFAR10', data_root='data'), ('CIFAR10', 'BaseSegDataset', 'CocoDataset')),
        (dict(type='mmdet.LVISV1Dataset', data_root='data'), ('mmdet.LVISV1Dataset',)),
        (seg_cfg('HSIDrive20Dataset', 'img', 'mask'), ('.npy',)),
    ],
)
def test_unknown_data_sets_and_files_are_named(cfg, names, tmp_path):
    with pytest.raises(ConfigError) as caught:
        make_tiny_dataset(cfg, tmp_path)
    assert all(name in str(caught.value) for name in names)
