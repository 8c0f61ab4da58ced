"""Each mistake in one's own data ends `mmrev new-config` with one line, and nothing is written."""

import os
from pathlib import Path

import numpy as np
import own_images
import pictures
import pytest
import tiny_runs
from PIL import Image

from mmrev.cli import new_config as command

STEMS = [f'{index}' for index in range(4)]
BASE = ('--images', 'images', '--masks', 'masks', '--out', 'my.py', '--no-quick')


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own_images.write_images(Path('images'), STEMS)
    own_images.write_masks(Path('masks'), STEMS)


def refused(capsys, *argv) -> str:
    before = sorted(Path().rglob('*'))
    assert command.main(list(map(str, argv or BASE))) == 1
    assert sorted(Path().rglob('*')) == before, 'something was written'
    return tiny_runs.error_line(capsys)


def write(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)


def blurred() -> None:
    for stem in STEMS:
        image = Image.open(f'masks/{stem}.png').point(lambda value: value * 100).convert('RGB')
        noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
        Image.blend(image, Image.fromarray(noise), 0.5).save(f'masks/{stem}.png')


def floats() -> None:
    for stem in STEMS:
        Path(f'masks/{stem}.png').unlink()
        Image.fromarray(np.full((48, 64), 0.5, np.float32)).save(f'masks/{stem}.tif')


def as_jpeg() -> None:
    for stem in STEMS:
        Image.open(f'masks/{stem}.png').save(f'masks/{stem}.jpg')
        Path(f'masks/{stem}.png').unlink()


def turned() -> None:
    pictures.save_turned(Path('images/0.jpg'), 6, np.zeros((64, 48, 3), np.uint8))


def many_labels() -> None:
    for stem in STEMS:
        Image.fromarray(np.arange(48 * 64, dtype=np.uint8).reshape(48, 64)).save(f'masks/{stem}.png')


def empty_mask_folder() -> None:
    for stem in STEMS:
        Path(f'masks/{stem}.png').unlink()


def only(suffix: str, content: bytes = b'1 2 3') -> None:
    empty_mask_folder()
    write(f'masks/0{suffix}', content)


@pytest.mark.parametrize(
    ('damage', 'message'),
    [
        (lambda: write('images/1.jpg', b''), 'images/1.jpg is empty (0 bytes)'),
        (lambda: write('images/1.jpg', b'%PDF-1.7 and more'), 'images/1.jpg is no image (a PDF)'),
        (lambda: pictures.save_truncated(Path('images/1.jpg')), 'images/1.jpg is truncated or damaged'),
        (
            lambda: write('masks/1.png', b'%PDF-1.7 and more'),
            'masks/1.png is no image (a PDF): export the masks as PNG',
        ),
        (lambda: write('masks/1.png', b''), 'masks/1.png is empty'),
        (
            lambda: Image.new('L', (32, 24)).save('masks/1.png'),
            'masks/1.png is for 32 x 24 pixels, and its image has 64 x 48',
        ),
        (turned, 'a viewer turns the image by EXIF: save it upright'),
        (blurred, 'colours: a colour mask has one colour a class'),
        (many_labels, 'the masks have 255 values: a mask has one value a class'),
        (floats, 'has decimal numbers: export the masks as PNG'),
        (as_jpeg, 'is a JPEG file, which blurs the labels'),
        (empty_mask_folder, 'masks is empty: expected mask images'),
        (lambda: only('.xml'), 'masks has .xml files (Pascal VOC: convert its boxes to the JSON of COCO)'),
        (lambda: only('.txt', b'hello'), 'masks/0.txt is not of YOLO'),
        (lambda: only('.txt', b'0 0.5 0.5 1'), 'masks/0.txt is not of YOLO'),
        (lambda: only('.txt', b'0 0.5 0.5 1 1\n0 5 5 1 1'), "masks/0.txt, line 2: '0 5 5 1 1' is no box of YOLO"),
        (lambda: only('.json', b'{'), 'masks/0.json is no JSON'),
        (lambda: only('.json', b'[]'), 'masks/0.json is neither JSON of COCO nor of LabelMe'),
        (lambda: only('.json', b'{"shapes": [{"label": "a"}]}'), "masks/0.json is damaged (KeyError: 'points')"),
        (
            lambda: only('.json', b'{"shapes": [{"label": "a", "shape_type": "line", "points": [[1, 1], [2, 2]]}]}'),
            "masks/0.json has a line of 2 points for 'a', which has no area",
        ),
        (
            lambda: own_images.write_images(Path('images'), ['0'], '.png'),
            '0.jpg and 0.png have the same annotation: take one of them out',
        ),
        (lambda: os.rename('images/0.jpg', 'images/a\nb.jpg'), "the name 'a\\nb.jpg' has a line break"),
        (lambda: os.rename('images', 'gone'), 'images is missing: expected a folder of images'),
        (lambda: os.rename('masks', 'gone'), 'masks is missing: expected mask images'),
    ],
)
def test_files(damage, message, capsys):
    damage()
    line = refused(capsys)
    assert message in line, line


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (('--classes', 'none.txt'), 'none.txt cannot be read'),
        (('--classes', 'empty.txt'), 'empty.txt names no classes'),
        (('--classes', 'twice.txt'), "twice.txt names the class 'a' twice"),
        (('--classes', 'half.txt'), "half.txt has no colour for 'b'"),
        (('--classes', 'two.txt'), 'the masks have the labels 0 to 2, and there are 2 names: add the missing name'),
        (('--ignore', 'x'), '--ignore x: the masks have labels'),
        (('--task', 'detection'), 'masks has masks, which do not tell one object from another'),
        (('--weights', 'none.pth'), 'none.pth is missing: expected a checkpoint file'),
        (('--weights', 'two.txt'), 'two.txt'),
        (('--val-share', '1.5'), '--val-share 1.5: expected a share between 0 and 1'),
        (('--splits', 'nowhere'), '--splits nowhere has no train.txt'),
        (('--data-out', 'masks'), 'masks and your data in images'.replace('images', 'masks') + ' overlap'),
        (('--data-out', 'images/new'), 'images/new and your data in images overlap'),
        (('--out', 'my.txt'), '--out my.txt: expected a file name that ends with .py'),
        (('--data-out', 'theirs'), 'theirs exists and is not of `mmrev new-config`'),
    ],
)
def test_arguments(options, message, capsys):
    for name, text in dict(empty='\n', twice='a\na', half='a 1 2 3\nb', two='a\nb').items():
        Path(f'{name}.txt').write_text(text)
    Path('theirs').mkdir()
    line = refused(capsys, *BASE, *options)
    assert message in line, line


def test_colours_need_colours_in_the_file(capsys):
    own_images.write_masks(Path('masks'), STEMS, lambda mask: own_images.COLORS[mask])
    Path('names.txt').write_text('background\nroad\ncar\n')
    line = refused(capsys, *BASE, '--classes', 'names.txt')
    assert 'has names without colours: write a line such as "background 128 64 128"' in line
    Path('names.txt').write_text('background 0 0 0\nroad 128 64 128\n')
    line = refused(capsys, *BASE, '--classes', 'names.txt')
    assert '1 colours that are not in the file of --classes' in line and "--ignore '#400080'" in line


def test_boxes_make_no_masks(capsys):
    own_images.write_json(Path('boxes.json'), own_images.coco(STEMS, outlines=False))
    line = refused(capsys, *BASE, '--masks', 'boxes.json', '--task', 'segmentation')
    assert 'boxes alone make no masks; --task detection makes a detector of them' in line
    line = refused(capsys, *BASE, '--masks', 'boxes.json', '--method', 'ran_n')
    assert '--method ran_n is for segmentation: detectors take ra or baseline' in line


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda c: c['images'][0].update(file_name='x.jpg'), 'c.json names the image x.jpg: it is not in the folder'),
        (lambda c: c['images'][0].update(width=30), 'the annotation of 0.jpg is for 30 x 48 pixels'),
        (lambda c: c['images'].pop(), 'annotation 7 is of an image that is not listed'),
        (lambda c: c['annotations'][0].pop('category_id'), "c.json is damaged (KeyError: 'category_id')"),
        (lambda c: c['annotations'][0].update(category_id=3), 'has the category 3, which is not listed'),
        (lambda c: c.pop('images'), "c.json is not COCO's"),
    ],
)
def test_damaged_coco(change, message, capsys):
    content = own_images.coco(STEMS)
    change(content)
    own_images.write_json(Path('c.json'), content)
    line = refused(capsys, *BASE, '--masks', 'c.json')
    assert message in line, line


def test_nothing_is_overwritten_without_force(capsys):
    own_images.write_masks(Path('masks'), STEMS, lambda mask: own_images.COLORS[mask])
    assert command.main(list(BASE)) == 0
    Path('my.py').write_text('# mine')
    capsys.readouterr()
    assert 'my.py exists: overwrite it with --force' in refused(capsys)
    assert Path('my.py').read_text() == '# mine'
    assert command.main([*BASE, '--force']) == 0
    assert Path('my.py').read_text() != '# mine'


def test_a_full_disk_leaves_nothing_behind(capsys, monkeypatch):
    from mmrev.own_data import segmentation

    def full(*_):
        raise OSError(28, 'No space left on device')

    own_images.write_masks(Path('masks'), STEMS, lambda mask: own_images.COLORS[mask])
    monkeypatch.setattr(segmentation, 'write_mask', full)
    assert 'the disk is full' in refused(capsys)


def test_names_with_spaces_and_umlauts(capsys):
    for folder, suffix in (('images', 'jpg'), ('masks', 'png')):
        os.rename(f'{folder}/0.{suffix}', f'{folder}/Straße 1.{suffix}')
    assert command.main(list(BASE)) == 0
    assert 'check-data: train: ' in capsys.readouterr().out


@pytest.mark.parametrize('kind', ['CMYK', 'L', 'RGBA', '16 bit', 'turned'])
def test_rare_images_are_read(kind):
    picture = pictures.quarters(48, 64)
    for stem in STEMS:
        jpeg = Path(f'images/{stem}.jpg')
        jpeg.unlink()
        if kind == 'turned':  # a viewer shows it as large as its mask
            pictures.save_turned(jpeg, 6, picture)
        elif kind == '16 bit':
            pictures.save_16_bit(jpeg.with_suffix('.png'), picture)
        else:
            pictures.save(jpeg.with_suffix('.png') if kind == 'RGBA' else jpeg, picture, kind)
    assert command.main(list(BASE)) == 0


def test_the_same_name_in_two_folders():
    for folder in ('a', 'b'):
        own_images.write_images(Path('images', folder), STEMS)
        own_images.write_masks(Path('masks', folder), STEMS)
    assert command.main(list(BASE)) == 0
    listed = [line for split in ('train', 'val') for line in Path(f'my_data/{split}.txt').read_text().split()]
    assert sorted(listed) == sorted([*STEMS, *(f'{folder}/{stem}' for folder in 'ab' for stem in STEMS)])


def test_a_folder_that_cannot_be_written(capsys):
    line = refused(capsys, *BASE, '--out', '/proc/mine/my.py')
    assert '/proc/mine' in line and 'cannot be written' in line


def test_ctrl_c_leaves_nothing_behind(capsys, monkeypatch):
    from mmrev.own_data import segmentation

    def stop(*_):
        raise KeyboardInterrupt

    own_images.write_masks(Path('masks'), STEMS, lambda mask: own_images.COLORS[mask])
    monkeypatch.setattr(segmentation, 'write_mask', stop)
    before = sorted(Path().rglob('*'))
    assert command.main(list(BASE)) == 130
    assert sorted(Path().rglob('*')) == before
