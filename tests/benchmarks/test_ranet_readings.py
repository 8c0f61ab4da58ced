"""The measure of RANet's readings, on maps whose regions are known."""

import importlib
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip('skimage')
FOLDER = Path(__file__).parents[2] / 'benchmarks'
CLASSES = np.repeat([[0, 0, 0, 1, 1, 1, 2, 2]], 6, 0)


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module


@pytest.fixture
def maps_file(tmp_path):
    """One image of 48 x 64 with three stripes of classes. Its scores are sure."""
    scores = 20.0 * (np.arange(4)[:, None, None] == CLASSES)
    mask = CLASSES.repeat(8, 0).repeat(8, 1).astype(np.uint8)
    mask[0, 0] = 255
    image = np.random.default_rng(0).integers(255, size=(1, 48, 64, 3), dtype=np.uint8)
    parts = dict(boundary=np.full((1, 1, 6, 8), -9.0), semantic=scores[None], masks=mask[None], images=image)
    np.savez(tmp_path / 'maps.npz', **parts)
    return tmp_path / 'maps.npz'


def rows_of(text):
    lines = [[cell.strip() for cell in line.strip('|').split('|')] for line in text.splitlines() if line[0] == '|']
    header = next(line for line in lines if line[0] == 'reading')
    return {line[0]: dict(zip(header, line, strict=True)) for line in lines if len(line) > 1 and line != header}


def test_all_readings_of_sure_maps(module, maps_file, capsys, tmp_path):
    module('ranet_readings').main([str(maps_file), '--pictures', str(tmp_path / 'pictures')])
    rows = rows_of(capsys.readouterr().out)
    assert len(rows) == 88
    for name in (
        'default',
        "authors' code",
        'components of the arg max',
        'jsd, T = 1/4, t = 0.9',
        'mutual, T = 1/1, t = 0.8',
    ):
        expected = {'regions': '3.0', 'range': '3-3', 'cells': '16', 'largest': '38'}
        assert rows[name].items() >= (expected | dict.fromkeys(('purity', 'best', 'recall'), '1.000')).items()
    alone = rows['boundary map alone, t = 0.8']
    assert (alone['regions'], alone['purity'], alone['recall']) == ('1.0', '0.375', '0.000')
    assert int(float(rows['wanted, T = 1/16']['regions'])) >= 24 and int(float(rows['SLIC, 24 or more']['regions'])) > 9
    assert (tmp_path / 'pictures' / 'maps' / 'default' / '0.png').is_file()


def test_a_missing_file_is_one_line(module, capsys):
    with pytest.raises(SystemExit):
        module('ranet_readings').main(['no_such_file.npz'])
    assert 'error: no_such_file.npz is missing: ranet_maps.py makes such files' in capsys.readouterr().err


def test_without_scikit_image(module, maps_file, monkeypatch, capsys):
    readings = module('ranet_readings')
    monkeypatch.setattr(readings, 'find_spec', lambda name: None)
    with pytest.raises(SystemExit):
        readings.main([str(maps_file)])
    assert 'error: SLIC needs scikit-image: pip install scikit-image' in capsys.readouterr().err


def test_components_and_agreement(module):
    components, agreeing = (getattr(module('ranet_regions'), name) for name in ('components', 'agreeing'))
    found = components(np.array([[1, 0, 1], [1, 0, 0]]))
    assert len(np.unique(found)) == 3 and found[0, 0] == found[1, 0] != found[0, 2]
    chain = np.eye(5)[None] + np.eye(5, k=1) + np.eye(5, k=-1)  # each cell agrees with its two neighbours alone
    assert agreeing(chain, 1).tolist() == [[0, 0, 1, 1, 2]]
    assert agreeing(chain, 0.4).tolist() == [[0, 0, 0, 1, 1]]


def test_the_threshold_between_pairs_of_one_object_and_others(module):
    attention = np.array([[[1.0, 0.7, 0.3], [0.7, 1.0, 0.2], [0.3, 0.2, 1.0]]])
    found = module('ranet_regions').fitted_threshold(
        [(attention, np.array([[4, 4, -1]])), (attention, np.array([[0, 0, 1]]))]
    )
    assert 0.3 < found <= 0.7


def test_light_maps_learn(module, tmp_path, monkeypatch, capsys):
    maps = module('ranet_maps')
    for split in maps.STRIDES:
        for kind in ('images', 'annotations'):
            (tmp_path / 'data' / kind / split).mkdir(parents=True)
        for number in range(4):
            mask = np.zeros((60, 80), np.uint8)
            mask[:, 10 + 10 * number :] = 1
            mask[:9] = 11  # CamVid's unlabelled pixels
            cv2.imwrite(str(tmp_path / 'data' / 'annotations' / split / f'{number}.png'), mask)
            cv2.imwrite(str(tmp_path / 'data' / 'images' / split / f'{number}.png'), mask[..., None].repeat(3, 2) * 20)
    monkeypatch.setattr(maps, 'backbone', lambda weights: None)
    monkeypatch.setattr(
        maps, 'features', lambda network, image: image[4::8, 4::8, :1].transpose(2, 0, 1).repeat(256, 0) / 20
    )
    maps.main(['--data', str(tmp_path / 'data'), '--out', str(tmp_path / 'out'), '--steps', '20'])
    made = {name: np.load(tmp_path / 'out' / f'{name}.npz') for name in ('untrained', 'early', 'trained')}
    assert made['trained']['semantic'].shape == (1, 11, 30, 40) and made['trained']['boundary'].shape == (1, 1, 30, 40)
    assert set(np.unique(made['trained']['masks'])) == {0, 1, 255}
    shares = [float(line.split(': ')[1].split()[0]) for line in capsys.readouterr().out.splitlines() if 'right' in line]
    assert shares[2] > max(shares[1], 90) and len(shares) == 3
