import cv2
import numpy as np
import pytest
from pictures import quarters, save, save_16_bit, save_truncated, save_turned

from mmrev.errors import ConfigError, DataError
from mmrev.prediction.predictor import as_source
from mmrev.prediction.reading import Reader, as_picture

LOAD = dict(type='LoadImageFromFile')
PACK = dict(type='PackSegInputs')


def read(path, *steps: dict):
    return Reader([*(steps or (LOAD,)), PACK]).read(as_source(path))


def differs(picture: np.ndarray, expected: np.ndarray) -> int:
    assert picture.shape == expected.shape
    assert picture.dtype == np.uint8
    return int(abs(picture.astype(int) - expected).max())


LOADERS = [LOAD, dict(LOAD, color_type='unchanged'), dict(LOAD, imdecode_backend='pillow')]


@pytest.mark.parametrize(
    ('suffix', 'load'), [*((suffix, load) for suffix in ('.jpg', '.png', '.webp') for load in LOADERS), ('.tif', LOAD)]
)
@pytest.mark.parametrize('orientation', range(1, 9))
def test_a_picture_is_seen_as_a_viewer_shows_it(tmp_path, suffix, orientation, load):
    path = save_turned(tmp_path / f'a{suffix}', orientation, quarters())
    loaded = read(path, load)
    assert differs(loaded.picture[4::8, 4::8], quarters()[4::8, 4::8]) < 12
    inputs = loaded.item['inputs'].numpy()[::-1].transpose(1, 2, 0)
    assert differs(np.ascontiguousarray(inputs), loaded.picture) == 0
    assert loaded.item['data_samples'].ori_shape == (48, 32)


@pytest.mark.parametrize(
    ('name', 'mode'),
    [('a.jpg', 'CMYK'), ('a.tif', 'CMYK'), ('a.png', 'RGBA'), ('a.webp', 'RGBA'), ('a.bmp', 'RGB'), ('a.tif', 'RGB')],
)
def test_colour_modes(tmp_path, name, mode):
    path = save(tmp_path / name, mode=mode, **({'lossless': True} if name.endswith('webp') else {}))
    assert differs(read(path).picture[4::8, 4::8], quarters()[4::8, 4::8]) < 12


@pytest.mark.parametrize('mode', ['L', 'LA', '1', 'P', 'I;16'])
def test_grey_and_palettes(tmp_path, mode):
    grey = np.repeat([[0, 255]], 16, axis=0).repeat(16, axis=1).astype(np.uint8)
    path = save_16_bit(tmp_path / 'a.png', grey) if mode == 'I;16' else save(tmp_path / 'a.png', grey, mode)
    assert differs(read(path).picture, grey[..., None].repeat(3, -1)) == 0


def test_16_bits(tmp_path):
    for name in ('a.png', 'a.tif'):
        path = save_16_bit(tmp_path / name, quarters())
        assert differs(read(path).picture, quarters()) == 0
        assert differs(as_picture(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)), quarters()) == 0


def test_a_transparent_picture_keeps_its_colours(tmp_path):
    image = np.dstack([quarters(), np.zeros((48, 32), np.uint8)])
    path = tmp_path / 'a.png'
    save(path, image, 'RGBA')
    assert differs(read(path).picture, quarters()) == 0


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.webp', '.bmp', '.tif'])
def test_a_truncated_picture(tmp_path, suffix, capfd):
    path = save_truncated(tmp_path / f'a{suffix}')
    with pytest.raises(DataError, match=f'a{suffix} is truncated or damaged .*: copy or export it again'):
        read(path)
    assert capfd.readouterr().err == ''  # OpenCV would write a line of its own


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        (b'', r'is empty \(0 bytes\): copy or export it again'),
        (b'%PDF-1.7 ...', r'cannot be read \(a PDF\): export it as JPEG or PNG'),
        (b'<!DOCTYPE html>', r'cannot be read \(text of the web .*\)'),
        (b'PK\x03\x04abc', r'cannot be read \(a zip archive\)'),
        (b'\0\0\0\x18ftypheic\0\0\0\0', r'cannot be read \(a HEIC picture or a video\)'),
        (b'hello', r'cannot be read \(an unknown or rare format\)'),
    ],
)
def test_a_file_that_is_no_picture(tmp_path, content, reason):
    path = tmp_path / 'my photo\n.jpg'
    path.write_bytes(content)
    with pytest.raises(DataError, match=reason) as error:
        read(path)
    assert '\n' not in str(error.value)


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(DataError, match='gone.jpg is missing'):
        read(tmp_path / 'gone.jpg')
    with pytest.raises(DataError):
        read(tmp_path)


def test_damaged_exif_does_not_matter(tmp_path):
    path = save(tmp_path / 'a.jpg', exif=b'Exif\0\0II*\0\x08\0\0\0\xff\xff')
    assert read(path).picture.shape == (48, 32, 3)


def test_steps_for_labels_are_left_out(tmp_path):
    steps = [LOAD, dict(type='LoadAnnotations'), dict(type='mmrev.CheckLabels', num_classes=3)]
    assert read(save(tmp_path / 'a.png'), *steps).item['inputs'].shape == (3, 48, 32)


def test_a_step_that_fails_names_the_picture(tmp_path):
    path = save(tmp_path / 'a.png')
    with pytest.raises(DataError, match=r'a.png \(32 x 48 pixels\): the test pipeline fails on it \(KeyError'):
        Reader([LOAD, dict(type='GenerateEdge')]).read(as_source(path))


def test_a_pipeline_that_reads_no_file():
    with pytest.raises(ConfigError, match='does not begin with a step that reads an image'):
        Reader([dict(type='Resize', scale=(8, 8)), PACK])
