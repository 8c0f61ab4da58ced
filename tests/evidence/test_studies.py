"""Each study runs at a toy size, on made-up images. The kept results are whole and agree with the page."""

import csv

import cv2
import numpy as np
import pytest
import torch
from mmseg.models.backbones import ResNet
from torchvision.models import mobilenet_v2

from evidence import camvid, gates, tiny_imagenet
from evidence.__main__ import RESULTS, main
from evidence.ran import HEADS
from evidence.report import write_report
from evidence.runs import RunLog
from evidence.studies import STUDIES


@pytest.fixture(scope='module')
def folders(tmp_path_factory):
    """Made-up data sets with the layouts of the real ones, and random weights with their names."""
    root = tmp_path_factory.mktemp('sources')
    rng = np.random.default_rng(0)
    for split in camvid.SPLITS:
        for kind in ('images', 'annotations'):
            (root / 'camvid' / kind / split).mkdir(parents=True)
        for number in range(4):
            mask = cv2.resize(rng.integers(0, 12, (3, 4), dtype=np.uint8), (64, 48), interpolation=cv2.INTER_NEAREST)
            cv2.imwrite(str(root / 'camvid/annotations' / split / f'{number}.png'), mask)
            image = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
            cv2.imwrite(str(root / 'camvid/images' / split / f'{number}.png'), image)
    for folder, count in (('train', tiny_imagenet.HELD_OUT + 4), ('val', 4)):
        for name in ('n01', 'n02'):
            (root / 'tiny_imagenet50' / folder / name).mkdir(parents=True)
            for number in range(count):
                image = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
                cv2.imwrite(str(root / 'tiny_imagenet50' / folder / name / f'{number}.JPEG'), image)
    torch.save(ResNet(depth=50, style='caffe').state_dict(), root / 'resnet50_caffe_in1k.pth')
    torch.save(mobilenet_v2().state_dict(), root / 'mobilenet_v2_in1k.pth')
    return root


@pytest.mark.parametrize('name', STUDIES)
def test_a_study_runs(name, folders, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(camvid, 'SIZE', (120, 160))
    monkeypatch.setattr(gates, 'SIZE', 32)
    options = ['--data-root', folders, '--weights', folders, '--results', tmp_path, '--work-dir', folders / 'work']
    assert main([*map(str, options), '--quick', '--only', name]) == 0
    study = STUDIES[name]
    rows = list(csv.DictReader((tmp_path / f'{name}.csv').open()))
    final = [row for row in rows if row['stage'] == 'final']
    assert [row['method'] for row in final] == list(study.methods)
    assert all(0 <= float(row[study.measures[0]]) <= 100 for row in rows)
    assert study.title in (tmp_path / 'tables.md').read_text()


ATTENTION = {  # of RAN's heads in the studies, for original scores of -2, 0 and 2
    'dual': [1, 1, 1],
    'constant 0.5': [0.5, 0.5, 0.5],
    'wrong sign': [0.1192, 0.5, 0.8808],
    'RAN-s': [0.8808, 0.5, 0.1192],
    'RAN-n': [0.9820, 0.9820, 0.0285],
}


@pytest.mark.parametrize('method', ATTENTION)
def test_a_control_has_its_own_attention(method):
    kind, options = HEADS[method]
    head = kind(in_channels=1, num_classes=3, in_index=0, **options)
    with torch.no_grad():
        head.conv_org.weight.zero_()
        head.conv_rev.weight.zero_()
        head.conv_org.bias.copy_(torch.tensor([-2.0, 0.0, 2.0]))
        head.conv_rev.bias.fill_(1)
        combined = head([torch.zeros(1, 1, 1, 1)]).flatten()
    expected = torch.tensor([-2.0, 0.0, 2.0]) - torch.tensor(ATTENTION[method])
    torch.testing.assert_close(combined, expected, atol=1e-4, rtol=0)


def test_missing_data_are_named(tmp_path, folders):
    options = ['--data-root', tmp_path, '--weights', folders, '--results', tmp_path, '--work-dir', tmp_path]
    with pytest.raises(Exception, match='expected CamVid as'):
        main([*map(str, options), '--only', 'ran_frozen_scratch'])


def test_kept_results_are_those_of_studies():
    assert {path.stem for path in RESULTS.glob('*.csv')} <= {*STUDIES, 'over_images'}


@pytest.mark.parametrize('name', [name for name in STUDIES if (RESULTS / f'{name}.csv').exists()])
def test_kept_results_are_paired(name):
    study = STUDIES[name]
    log = RunLog(RESULTS / f'{name}.csv', study.measures)
    seeds = {method: [run.seed for run in log.final(method)] for method in study.methods}
    assert len(seeds[study.methods[0]]) >= 3
    assert all(found == seeds[study.methods[0]] for found in seeds.values()), seeds
    assert not set(study.tuning_seeds) & set(seeds[study.methods[0]])


@pytest.mark.parametrize('name', [name for name, study in STUDIES.items() if study.measures[0] == 'mIoU'])
def test_no_two_methods_have_the_same_scores(name):
    """Equal scores mean that two methods are one. A top-1 over few images may be equal by chance."""
    log = RunLog(RESULTS / f'{name}.csv', STUDIES[name].measures)
    scores = [(run.seed, run.scores['mIoU']) for run in log.runs.values() if run.stage == 'final']
    assert len(scores) >= 12
    assert len(set(scores)) == len(scores)


def test_the_page_shows_the_kept_results(tmp_path):
    """All figures of the page's tables come from the CSVs, on any machine."""
    for path in RESULTS.glob('*.csv'):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    table = write_report(list(STUDIES.values()), tmp_path, tmp_path)[0].read_text()
    assert table == (RESULTS / 'tables.md').read_text()
    page = (RESULTS.parents[1] / 'docs/results.md').read_text().splitlines()
    rows = [row for row in table.splitlines() if row.startswith('| ') and not row.startswith('| method')]
    assert len(rows) >= 12
    assert not [row for row in rows if row not in page]
