"""Pictures of every kind on the page: good ones look as in a viewer, bad ones are one line with the file's name."""

import numpy as np
import pytest
from pictures import quarters, save, save_16_bit, save_truncated, save_turned
from PIL import Image

from mmrev.errors import DataError
from mmrev.prediction import Predictor
from mmrev.web.examples import SIDE, find_examples
from mmrev.web.exhibit import Exhibit
from mmrev.web.pictures import to_page
from mmrev.web.uploads import Limits, check_upload


@pytest.fixture(scope='module')
def exhibit(segmenter) -> Exhibit:
    return Exhibit('tiny', Predictor(*segmenter, device='cpu'), Limits(megabytes=0.5, megapixels=1))


GOOD = {
    'turned.jpg': lambda path: save_turned(path, 6, quarters()),
    'cmyk.jpg': lambda path: save(path, mode='CMYK'),
    'alpha.png': lambda path: save(path, mode='RGBA'),
    '16 bits.png': lambda path: save_16_bit(path, quarters()),
    'palette.png': lambda path: save(path, mode='P'),
    'grün\u00e9 1.webp': lambda path: save(path, lossless=True),
}


@pytest.mark.parametrize('name', GOOD)
def test_a_picture_lies_as_a_viewer_shows_it(name, exhibit, folder):
    shown = exhibit.result(str(GOOD[name](folder / name)))
    expected = to_page(quarters())
    assert shown.picture.shape == shown.drawn.shape == expected.shape
    # JPEG and CMYK change the colours a little
    assert np.abs(shown.picture.astype(int) - expected).mean() < 15
    assert sum(shown.scores.values()) == pytest.approx(1)


def bytes_of(content: bytes):
    def write(path):
        path.write_bytes(content)
        return path

    return write


BAD = {
    'empty.jpg': (bytes_of(b''), 'empty.jpg is empty (0 bytes)'),
    'paper.jpg': (bytes_of(b'%PDF-1.7 ...'), 'paper.jpg cannot be read (a PDF): export it as JPEG or PNG'),
    'cut.jpg': (save_truncated, 'cut.jpg is truncated or damaged'),
    'two\nlines.png': (bytes_of(b'no picture'), r'two\nlines.png cannot be read (an unknown or rare format)'),
    'large.bmp': (lambda path: save(path, np.zeros((400, 500, 3), np.uint8)), 'large.bmp has 0.6 MB: this page takes'),
    'bomb.png': (
        lambda path: save(path, np.zeros((1100, 1000, 3), np.uint8)),
        'bomb.png has 1.1 megapixels: this page takes up to 1, scale it down',
    ),
}  # fmt: skip


@pytest.mark.parametrize('name', BAD)
def test_a_bad_file_is_one_line_without_its_folder(name, exhibit, folder):
    make, beginning = BAD[name]
    with pytest.raises(DataError) as caught:
        exhibit.result(str(make(folder / name)))
    line = str(caught.value)
    assert line.startswith(beginning)
    assert '\n' not in line and 'secret' not in line


def test_a_huge_picture_is_not_decoded(folder):
    """400 megapixels in a few kilobytes. Pillow itself refuses to open it."""
    path = folder / 'bomb.png'
    Image.new('1', (20000, 20000)).save(path)
    assert path.stat().st_size < 1e5
    with pytest.raises(DataError, match='megapixels: this page takes up to 25, scale it down'):
        check_upload(path, Limits())


def test_the_model_fails_on_a_picture(exhibit, photo, monkeypatch):
    def fail(data):
        raise RuntimeError('out of\nmemory')

    monkeypatch.setattr(exhibit.predictor.model, 'test_step', fail)
    with pytest.raises(DataError) as caught:
        exhibit.result(photo)
    assert str(caught.value) == 'photo.png (64 x 48 pixels): the model fails on it (RuntimeError: out of memory)'


def test_examples_are_the_readable_pictures(exhibit, folder):
    save(folder / 'b.png')
    save(folder / 'below/a.jpg')
    (folder / 'broken.jpg').write_bytes(b'')
    lines = []
    examples = find_examples(folder, exhibit.predictor.reader, exhibit.limits, lines.append)
    assert sorted(example.path.name for example in examples) == ['a.jpg', 'b.png']
    assert {example.thumbnail.shape for example in examples} == {(SIDE, round(SIDE * 32 / 48), 3)}
    assert len(lines) == 1 and 'broken.jpg is empty' in lines[0]


def test_a_folder_without_a_readable_picture(exhibit, folder):
    (folder / 'broken.jpg').write_bytes(b'')
    with pytest.raises(DataError, match='has no picture that can be shown'):
        find_examples(folder, exhibit.predictor.reader, exhibit.limits, lambda line: None)
