"""Small archives in the very formats of the authors: tar, tar in tar, zip, MATLAB 5, MATLAB 7.3, PNG with a palette."""

import io
import json
import tarfile
import zipfile

import numpy as np
from PIL import Image
from scipy.io import savemat

H, W = 12, 16
NAMES = ['2008_000001', '2008_000002', '2008_000003', '2008_000004']


def jpeg(size=(W, H)):
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (*size[::-1], 3), np.uint8)).save(file, 'JPEG')
    return file.getvalue()


def png(labels, palette=False, mode=None):
    image = Image.fromarray(np.asarray(labels, np.uint8), mode)
    if palette:
        image = image.convert('P')
        image.putdata(np.asarray(labels).ravel().tolist())
        image.putpalette([value for index in range(256) for value in (index, 255 - index, 0)])
    file = io.BytesIO()
    image.save(file, 'PNG')
    return file.getvalue()


def mat(**fields):
    file = io.BytesIO()
    savemat(file, fields)
    return file.getvalue()


def stripes(*labels):
    """A label map [H, W] with one stripe for each label."""
    return np.repeat(np.array(labels), -(-W // len(labels)))[None, :W].repeat(H, axis=0)


def tar(path, files, mode='w'):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def tar_bytes(files):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode='w') as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def zipped(path, files):
    with zipfile.ZipFile(path, 'w') as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def lines(*names):
    return ''.join(f'{name}\n' for name in names).encode()


def voc12aug(folder):
    root = 'VOCdevkit/VOC2012'
    files = {f'{root}/JPEGImages/{name}.jpg': jpeg() for name in NAMES}
    files |= {f'{root}/SegmentationClass/{name}.png': png(stripes(0, 7, 20, 255), palette=True) for name in NAMES[:2]}
    files |= {f'{root}/ImageSets/Segmentation/train.txt': lines(NAMES[0])}
    files |= {f'{root}/ImageSets/Segmentation/val.txt': lines(NAMES[1])}
    files |= {f'{root}/Annotations/a.xml': b'not wanted'}
    tar(folder / 'VOCtrainval_11-May-2012.tar', files)
    root = 'benchmark_RELEASE/dataset'
    truth = np.array([[(stripes(0, 15, 3, 1).astype(np.uint8),)]], dtype=[('Segmentation', object)])
    files = {f'{root}/cls/{name}.mat': mat(GTcls=truth) for name in NAMES}
    files |= {f'{root}/train.txt': lines(NAMES[0], NAMES[2]), f'{root}/val.txt': lines(NAMES[1], NAMES[3])}
    tar(folder / 'benchmark.tgz', files, 'w:gz')


def voc2010(folder):
    root = 'VOCdevkit/VOC2010'
    files = {f'{root}/JPEGImages/{name}.jpg': jpeg() for name in NAMES}
    files |= {f'{root}/ImageSets/Main/train.txt': lines(*NAMES[:2])}
    files |= {f'{root}/ImageSets/Main/val.txt': lines(*NAMES[2:])}
    tar(folder / 'VOCtrainval_03-May-2010.tar', files)


def context_archive(path):
    files = {f'trainval/{name}.mat': mat(LabelMap=stripes(2, 9, 3, 458).astype(np.uint16)) for name in NAMES}
    tar(path, {'trainval/readme.txt': b'', **files}, 'w:gz')


def parts_archive(path):
    everything = np.ones((H, W), np.uint8)
    person = {
        'class': 'person',
        'class_ind': 15,
        'mask': everything,
        'parts': [
            {'part_name': name, 'mask': (stripes(1, 2, 3, 4) == index).astype(np.uint8)}
            for index, name in ((1, 'neck'), (2, 'rhand'), (3, 'hair'))
        ],
    }
    cat = {'class': 'cat', 'class_ind': 8, 'mask': (stripes(0, 0, 0, 1)).astype(np.uint8), 'parts': np.zeros((0,))}
    files = {
        f'Annotations_Part/{name}.mat': mat(anno={'imname': name, 'objects': [person, cat] if index % 2 else [cat]})
        for index, name in enumerate(NAMES)
    }
    tar(path, {**files, 'part2ind.m': b''}, 'w:gz')


def pascal_context(folder):
    voc2010(folder)
    context_archive(folder / 'trainval.tar.gz')


def person_part(folder):
    voc2010(folder)
    parts_archive(folder / 'trainval.tar.gz')


def nyudv2(folder):
    import h5py

    with h5py.File(folder / 'nyu_depth_v2_labeled.mat', 'w') as file:
        image = np.random.default_rng(0).integers(0, 255, (H, W, 3), np.uint8)
        file['images'] = np.stack([image.transpose(2, 1, 0)] * 4)
        file['labels'] = np.stack([stripes(0, 1, 2, 894).T] * 4).astype(np.uint16)
    mapping = np.full((1, 894), 40, np.uint8)
    mapping[0, :2] = 5, 22
    (folder / 'classMapping40.mat').write_bytes(mat(mapClass=mapping))
    splits = mat(trainNdxs=np.array([[3], [1]], np.uint16), testNdxs=np.array([[2], [4]], np.uint16))
    (folder / 'splits.mat').write_bytes(splits)


def ade20k(folder):
    root, files = 'ADEChallengeData2016', {}
    for split, short in (('training', 'train'), ('validation', 'val')):
        files[f'{root}/images/{split}/ADE_{short}_00000001.jpg'] = jpeg()
        files[f'{root}/annotations/{split}/ADE_{short}_00000001.png'] = png(stripes(0, 1, 150, 3))
    zipped(folder / 'ADEChallengeData2016.zip', {**files, f'{root}/objectInfo150.txt': b''})


def cityscapes(folder):
    images, masks = {'README': b''}, {}
    for split, city in (('train', 'aachen'), ('val', 'frankfurt'), ('test', 'berlin')):
        stem = f'{split}/{city}/{city}_000000_000019'
        images[f'leftImg8bit/{stem}_leftImg8bit.png'] = png(np.zeros((H, W, 3)))
        masks[f'gtFine/{stem}_gtFine_labelIds.png'] = png(stripes(0, 7, 33, 29))
        masks[f'gtFine/{stem}_gtFine_polygons.json'] = b'{}'
    zipped(folder / 'leftImg8bit_trainvaltest.zip', images)
    zipped(folder / 'gtFine_trainvaltest.zip', masks)


def coarse(folder):
    stem = 'train_extra/augsburg/augsburg_000000_000000'
    zipped(folder / 'leftImg8bit_trainextra.zip', {f'leftImg8bit/{stem}_leftImg8bit.png': png(np.zeros((H, W, 3)))})
    zipped(folder / 'gtCoarse.zip', {f'gtCoarse/{stem}_gtCoarse_labelIds.png': png(stripes(0, 7, 33, 29))})


def cocostuff10k(folder):
    stems = ['COCO_train2014_000000000001', 'COCO_train2014_000000000002']
    files = {f'images/{stem}.jpg': jpeg() for stem in stems}
    files |= {f'annotations/{stem}.mat': mat(S=stripes(0, 13, 182, 92).astype(np.uint8)) for stem in stems}
    files |= {'imageLists/train.txt': lines(stems[0]), 'imageLists/test.txt': lines(stems[1])}
    zipped(folder / 'cocostuff-10k-v1.1.zip', files)


def imagenet(folder):
    """All 1,000 classes, because mmpretrain counts them, with one image each."""
    wnids = [f'n{index:08d}' for index in range(1000)]
    picture = jpeg()
    tar(folder / 'ILSVRC2012_img_train.tar', {f'{w}.tar': tar_bytes({f'{w}_1.JPEG': picture}) for w in wnids})
    tar(folder / 'ILSVRC2012_img_val.tar', {f'ILSVRC2012_val_{index + 1:08d}.JPEG': picture for index in range(1000)})
    names = ('ILSVRC2012_ID', 'WNID', 'words', 'gloss', 'num_children', 'children')
    rows = [(1000 - index, wnid, 'words', '', 0, 0) for index, wnid in enumerate(wnids)]
    rows += [(1001, 'n99999999', 'entity', '', 2, 0)]  # a node above the classes
    data = {
        'meta.mat': mat(synsets=np.array(rows, dtype=[(name, 'O') for name in names])[:, None]),
        'ILSVRC2012_validation_ground_truth.txt': lines(*range(1, 1001)),
    }
    root = 'ILSVRC2012_devkit_t12/data'
    tar(folder / 'ILSVRC2012_devkit_t12.tar.gz', {f'{root}/{key}': value for key, value in data.items()}, 'w:gz')


def coco(folder):
    for split in ('train', 'val'):
        zipped(folder / f'{split}2017.zip', {f'{split}2017/000000000001.jpg': jpeg((64, 48))})
    box = dict(id=1, image_id=1, category_id=1, bbox=[1, 1, 20, 20], area=400, iscrowd=0, segmentation=[])
    image = dict(
        id=1, file_name='000000000001.jpg', height=48, width=64
    )  # mmdetection leaves out images below 32 pixels
    found = json.dumps(dict(images=[image], annotations=[box], categories=[dict(id=1, name='person')])).encode()
    files = {f'annotations/{kind}_{split}2017.json': found for kind in ('instances', 'captions') for split in SPLITS}
    zipped(folder / 'annotations_trainval2017.zip', files)


SPLITS = ('train', 'val')
MAKERS = {
    'pascal-context': pascal_context,
    'voc12aug': voc12aug,
    'person-part': person_part,
    'nyudv2': nyudv2,
    'ade20k': ade20k,
    'cityscapes': cityscapes,
    'cocostuff10k': cocostuff10k,
    'imagenet': imagenet,
    'coco': coco,
}
