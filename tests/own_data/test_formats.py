"""Each kind of annotations becomes the same labels, and the config's data set reads them."""

import base64
import io
import json
import shutil
from pathlib import Path

import numpy as np
import own_images
import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS, TRANSFORMS, DefaultScope
from PIL import Image

from mmrev.own_data import Request, new_config

STEMS = [f'clip{index // 2}_{index}' for index in range(6)]


@pytest.fixture
def images(tmp_path):
    return own_images.write_images(tmp_path / 'images', STEMS)


@pytest.fixture
def make(tmp_path, images, monkeypatch):
    """A function that writes a config for the images, and returns what was made and the config."""
    monkeypatch.chdir(tmp_path)

    def call(masks: Path, **options):
        before = snapshot(images, masks)
        made = new_config(Request(**{'images': images, 'masks': masks, 'out': Path('my.py'), **options}))
        assert snapshot(images, masks) == before, "the user's files were changed"
        return made, Config.fromfile(made.config)

    return call


def snapshot(*places: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for place in places for path in [place, *place.rglob('*')] if path.is_file()}


def read(cfg: Config, split: str = 'train') -> dict[str, np.ndarray]:
    """The masks that mmsegmentation reads, by the names of the images."""
    dataset = DATASETS.build({**cfg[f'{split}_dataloader'].dataset, 'pipeline': []})
    load = TRANSFORMS.build(dict(type='LoadAnnotations'))
    infos = [dataset.get_data_info(index) for index in range(len(dataset))]
    assert all(Path(info['img_path']).is_file() for info in infos)
    return {Path(info['img_path']).stem: load(info)['gt_seg_map'] for info in infos}


def expected(stem: str) -> np.ndarray:
    return own_images.labels(STEMS.index(stem))


def check(cfg: Config, change=lambda mask: mask) -> None:
    masks = {**read(cfg), **read(cfg, 'val')}
    assert sorted(masks) == STEMS
    for stem, mask in masks.items():
        np.testing.assert_array_equal(mask, change(expected(stem)), stem)


CHANGES = {
    'labels': (lambda mask: mask, 'masks of labels, as they are'),
    'off by one': (lambda mask: mask + 1, 'masks that start at 1, with reduce_zero_label=True'),
    'gaps': (lambda mask: mask * 50, 'masks with gaps in their labels, converted'),
    'colours': (lambda mask: own_images.COLORS[mask], 'colour masks of 3 colours, converted'),
    'grey in three channels': (lambda mask: mask[..., None].repeat(3, -1), 'masks of labels, converted'),
    '16 bit': (lambda mask: mask.astype(np.uint16), 'masks of labels, converted'),
    'alpha': (
        lambda mask: np.dstack([own_images.COLORS[mask], np.full_like(mask, 255)]),
        'colour masks of 3 colours, converted',
    ),
}


@pytest.mark.parametrize('kind', CHANGES)
def test_masks(kind, make, tmp_path):
    change, says = CHANGES[kind]
    made, cfg = make(own_images.write_masks(tmp_path / 'masks', STEMS, change))
    assert any(says in note for note in made.notes), made.notes
    # colours are sorted: black, car, road
    check(cfg, (lambda mask: np.array([0, 2, 1], np.uint8)[mask]) if 'colour masks' in says else lambda mask: mask)
    assert cfg.model.decode_head.num_classes == 3
    assert cfg.train_dataloader.dataset.type == 'BaseSegDataset'
    assert ('converted' in says) == Path('my_data/masks').is_dir()


def test_masks_of_0_and_255(make, tmp_path):
    binary = lambda mask: np.where(mask == 2, 255, 0).astype(np.uint8)  # noqa: E731
    (tmp_path / 'one.txt').write_text('crack\n')
    _, cfg = make(own_images.write_masks(tmp_path / 'masks', STEMS, binary), classes=tmp_path / 'one.txt')
    assert cfg.metainfo.classes == ['background', 'crack']
    check(cfg, lambda mask: (mask == 2).astype(np.uint8))


def test_label_255_is_ignored(make, tmp_path):
    holes = lambda mask: np.where(mask == 2, 255, mask).astype(np.uint8)  # noqa: E731
    _, cfg = make(own_images.write_masks(tmp_path / 'masks', STEMS, holes))
    assert cfg.model.decode_head.num_classes == 2 and not Path('my_data/masks').exists()
    check(cfg, holes)


def test_colours_with_names(make, tmp_path):
    rows = zip(own_images.NAMES, own_images.COLORS, strict=True)
    (tmp_path / 'classes.txt').write_text('# mine\n' + '\n'.join(f'{name} {r} {g} {b}' for name, (r, g, b) in rows))
    masks = own_images.write_masks(tmp_path / 'masks', STEMS, lambda mask: own_images.COLORS[mask])
    _, cfg = make(masks, classes=tmp_path / 'classes.txt')
    check(cfg)
    assert cfg.metainfo.classes == list(own_images.NAMES)
    assert cfg.metainfo.palette == own_images.COLORS.tolist()


def test_a_palette_is_kept_and_its_indices_are_the_labels(make, tmp_path):
    _, cfg = make(own_images.write_masks(tmp_path / 'masks', STEMS, palette=own_images.COLORS))
    check(cfg)
    assert cfg.metainfo.palette == own_images.COLORS.tolist() and not Path('my_data/masks').exists()


def test_palettes_that_differ_from_file_to_file_count_by_colour(make, tmp_path):
    swap = np.array([1, 0, 2], np.uint8)
    own_images.write_masks(tmp_path / 'masks', STEMS, palette=own_images.COLORS)
    own_images.write_masks(tmp_path / 'masks', STEMS[:1], lambda mask: swap[mask], palette=own_images.COLORS[swap])
    made, cfg = make(tmp_path / 'masks')
    assert any('colour masks' in note for note in made.notes)
    check(cfg, lambda mask: np.array([0, 2, 1], np.uint8)[mask])


@pytest.mark.parametrize('ignored', ['2', '0'])
def test_a_label_without_a_class(ignored, make, tmp_path):
    (tmp_path / 'two.txt').write_text('a\nb\n')
    _, cfg = make(own_images.write_masks(tmp_path / 'masks', STEMS), classes=tmp_path / 'two.txt', ignore=[ignored])
    table = {'2': [0, 1, 255], '0': [255, 0, 1]}[ignored]
    check(cfg, lambda mask: np.array(table, np.uint8)[mask])


@pytest.mark.parametrize('suffix', ['_mask.png', '_gtFine_labels.png'])
def test_masks_with_longer_names_are_read_as_they_are(suffix, make, tmp_path):
    _, cfg = make(own_images.write_masks(tmp_path / 'masks', STEMS, suffix=suffix))
    check(cfg)
    assert cfg.train_dataloader.dataset.seg_map_suffix == suffix


def test_masks_with_other_beginnings_are_copied(make, tmp_path):
    own_images.write_masks(tmp_path / 'masks', [f'mask_{stem}' for stem in STEMS])
    _, cfg = make(tmp_path / 'masks')
    check(cfg)
    assert len(list(Path('my_data/masks').iterdir())) == len(STEMS)


def test_masks_in_other_folders_than_the_images(make, tmp_path):
    own_images.write_masks(tmp_path / 'masks', [f'batch {index % 2}/{stem}' for index, stem in enumerate(STEMS)])
    _, cfg = make(tmp_path / 'masks')
    check(cfg)


def test_images_of_several_kinds(make, tmp_path, images):
    own_images.write_images(images, [STEMS[0]], '.png')
    (images / f'{STEMS[0]}.jpg').unlink()
    _, cfg = make(own_images.write_masks(tmp_path / 'masks', STEMS))
    check(cfg)


def test_images_without_masks_are_left_out(make, tmp_path):
    made, cfg = make(own_images.write_masks(tmp_path / 'masks', STEMS[:4]))
    assert sorted({**read(cfg), **read(cfg, 'val')}) == STEMS[:4]
    assert any('2 images without annotation are left out, such as clip2_4.jpg' in note for note in made.notes)


def objects(kind: str, folder: Path) -> Path:
    if kind == 'coco':
        return own_images.write_json(folder / 'instances.json', own_images.coco(STEMS))
    return {'labelme': own_images.write_labelme, 'yolo': own_images.write_yolo}[kind](folder / kind, STEMS)


@pytest.mark.parametrize('kind', ['coco', 'labelme'])
def test_outlines_become_masks(kind, make, tmp_path):
    (tmp_path / 'names.txt').write_text('background\nroad\ncar\n')
    made, cfg = make(objects(kind, tmp_path), classes=tmp_path / 'names.txt')
    check(cfg)
    assert cfg.metainfo.classes == list(own_images.NAMES)
    assert any('2 classes, converted into my_data/masks' in note for note in made.notes)


@pytest.mark.parametrize('kind', ['coco', 'labelme', 'yolo'])
def test_objects_become_boxes(kind, make, tmp_path):
    (tmp_path / 'names.txt').write_text('road\ncar\n')
    options = {} if kind == 'yolo' else dict(task='detection')
    _, cfg = make(objects(kind, tmp_path), classes=tmp_path / 'names.txt', **options)
    assert cfg.model.backbone.type == 'mmrev.RAResNet' and cfg.model.roi_head.bbox_head.num_classes == 2
    found = {}
    with DefaultScope.overwrite_default_scope('mmdet'):
        for split in ('train', 'val'):
            dataset = pytest.importorskip('mmdet.datasets').CocoDataset(
                **{
                    key: value
                    for key, value in cfg[f'{split}_dataloader'].dataset.items()
                    if key not in ('type', 'pipeline')
                },
                pipeline=[],
            )
            for index in range(len(dataset)):
                info = dataset.get_data_info(index)
                boxes = [(item['bbox_label'], *item['bbox']) for item in info['instances']]
                found[Path(info['img_path']).stem] = boxes
    assert sorted(found) == STEMS
    for index, stem in enumerate(STEMS):
        np.testing.assert_allclose(found[stem], [(0, 0, 24, 64, 48), (1, 8 + index, 30, 24 + index, 40)])


def test_labelme_shapes(make, tmp_path):
    stored = io.BytesIO()
    Image.fromarray(np.ones((4, 6), np.uint8) * 255).save(stored, 'PNG')
    shapes = [
        dict(label='road', shape_type='circle', points=[[20, 20], [20, 10]]),
        dict(
            label='car', shape_type='mask', points=[[2, 3], [8, 7]], mask=base64.b64encode(stored.getvalue()).decode()
        ),
        dict(label='__ignore__', shape_type='rectangle', points=[[50, 0], [64, 48]]),
        dict(label='_background_', shape_type='rectangle', points=[[0, 0], [64, 48]]),
    ]
    for stem in STEMS:
        own_images.write_json(tmp_path / f'json/{stem}.json', dict(shapes=shapes, imagePath=f'{stem}.jpg'))
    _, cfg = make(tmp_path / 'json')
    assert cfg.metainfo.classes == ['background', 'car', 'road']
    mask = next(iter(read(cfg).values()))
    assert (mask == 2).sum() == pytest.approx(np.pi * 100, rel=0.05) and mask[20, 20] == 2
    assert mask[3:7, 2:8].tolist() == [[1] * 6] * 4 and (mask == 1).sum() == 24
    assert (mask[:, 50:] == 255).all()


def test_run_length_codes_of_coco(make, tmp_path):
    content = own_images.coco(STEMS)
    for item in content['annotations']:  # 10 rows at the top, in columns
        item['segmentation'] = dict(size=[48, 64], counts=[0] + [10, 38] * 64)
        item['iscrowd'] = 1
    content['annotations'] = content['annotations'][::2]
    _, cfg = make(own_images.write_json(tmp_path / 'a.json', content))
    mask = next(iter(read(cfg).values()))
    assert (mask[:10] == 1).all() and (mask[10:] == 0).all()


def test_yolo_polygons_make_masks_and_names_come_from_data_yaml(make, tmp_path):
    folder = tmp_path / 'labels'
    own_images.write_yolo(folder, STEMS)
    for path in folder.iterdir():
        path.write_text('1 0 0 0.5 0 0.5 0.5 0 0.5\n')
    (tmp_path / 'data.yaml').write_text('names: [road, car]\n')
    _, cfg = make(folder, task='segmentation')
    assert cfg.metainfo.classes == ['background', 'road', 'car']
    mask = next(iter(read(cfg).values()))
    assert (mask[:24, :32] == 2).all() and (mask == 2).sum() == 24 * 32


def test_coco_files_of_two_splits_in_one_folder(make, tmp_path):
    own_images.write_json(tmp_path / 'a/instances_train.json', own_images.coco(STEMS[:4]))
    own_images.write_json(tmp_path / 'a/instances_val.json', own_images.coco(STEMS[4:]))
    own_images.write_json(tmp_path / 'a/notes.json', dict(info='mine'))
    made, _ = make(tmp_path / 'a', task='detection')
    assert any('4 train, 2 val (the JSON files)' in note for note in made.notes)
    assert [len(json.loads(Path(f'my_data/{split}.json').read_text())['images']) for split in ('train', 'val')] == [
        4,
        2,
    ]


def test_annotations_beside_the_images(make, tmp_path, images):
    own_images.write_labelme(images, STEMS)
    made, cfg = make(images)
    assert len(read(cfg)) + len(read(cfg, 'val')) == 6


def test_roboflows_folders(make, tmp_path):
    shutil.rmtree(tmp_path / 'images')
    for split, stems in (('train', STEMS[:4]), ('valid', STEMS[4:])):
        own_images.write_images(tmp_path / f'images/{split}/images', stems)
        own_images.write_yolo(tmp_path / f'images/{split}/labels', stems)
    made, _ = make(tmp_path / 'images')
    assert any('4 train, 2 val (the folders of the images)' in note for note in made.notes)


def test_classes_without_an_object_in_the_training_are_noted(make, tmp_path):
    (tmp_path / 'names.txt').write_text('a\nb\nc\nd\ne\n')
    made, _ = make(own_images.write_masks(tmp_path / 'masks', STEMS), classes=tmp_path / 'names.txt')
    assert "note: nothing in the training is of 2 classes, such as 'd'" in made.notes
    (shares,) = [note for note in made.notes if note.startswith('classes: a ')]
    assert shares.endswith('d 0.0%, e 0.0%')
