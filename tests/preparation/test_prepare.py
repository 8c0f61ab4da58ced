"""`mmrev prepare` on small archives in the authors' formats, checked by `mmrev check-data` with the packaged config."""

import hashlib
import os
from importlib.util import find_spec
from pathlib import Path

import data_archives as archives
import numpy as np
import pytest
import tiny_runs
from PIL import Image

from mmrev.cli import check_data, prepare
from mmrev.cli.main import main as mmrev
from mmrev.hosts import host_problem
from mmrev.preparation.archives import members
from mmrev.preparation.data_sets import DATA_SETS
from mmrev.preparation.data_sets.cityscapes import TABLE

HOST = {'coco': 'mmdet', 'imagenet': 'mmpretrain'}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'archives').mkdir()
    return tmp_path


def make(name, folder):
    if name == 'nyudv2':
        pytest.importorskip('h5py')
    archives.MAKERS[name](folder / 'archives')


def call(name, *options):
    return prepare.main([name, '--archives', 'archives', *options])


def labels(path):
    return np.unique(np.asarray(Image.open(path))).tolist()


def state(folder):
    files = [path for path in sorted(folder.rglob('*')) if path.is_file()]
    return {path: (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files}


def test_each_data_set_has_its_archives_here():
    assert DATA_SETS.keys() == archives.MAKERS.keys()


@pytest.mark.parametrize('name', DATA_SETS)
def test_the_packaged_config_reads_what_is_prepared(name, folder, capsys):
    make(name, folder)
    before = state(folder / 'archives')
    assert call(name, '--partial') == 0
    assert f'next: mmrev check-data {DATA_SETS[name].config}' in capsys.readouterr().out
    assert state(folder / 'archives') == before
    assert not list(folder.rglob('*.part'))
    if problem := host_problem(HOST.get(name, 'mmseg')):
        pytest.skip(problem)
    assert tiny_runs.call(check_data.main, DATA_SETS[name].config) == 0, capsys.readouterr().err
    assert 'train: ' in capsys.readouterr().out


@pytest.mark.parametrize('name', DATA_SETS)
def test_a_second_run_writes_nothing(name, folder, capsys):
    make(name, folder)
    assert call(name, '--partial') == 0
    before = state(folder / 'data')
    assert len(before) >= 4
    capsys.readouterr()
    assert call(name, '--partial') == 0
    assert state(folder / 'data') == before
    assert '0 files written' in capsys.readouterr().out


def test_a_stopped_run_goes_on(folder):
    make('voc12aug', folder)
    assert call('voc12aug', '--partial') == 0
    whole = {path: found[1] for path, found in state(folder / 'data').items()}
    for path in list(whole)[::2]:
        path.unlink()
    assert call('voc12aug', '--partial') == 0
    assert {path: found[1] for path, found in state(folder / 'data').items()} == whole


@pytest.mark.parametrize('name', DATA_SETS)
def test_incomplete_archives_are_one_line(name, folder, capsys):
    make(name, folder)
    assert call(name) == 1
    line = tiny_runs.error_line(capsys)
    assert 'instead of' in line and '--partial' in line


@pytest.mark.parametrize('name', DATA_SETS)
def test_missing_archives_come_with_their_addresses(name, folder, capsys):
    assert call(name) == 1
    line = tiny_runs.error_line(capsys)
    for source in DATA_SETS[name].sources:
        assert (f'{source.file}: http' in line) != source.optional
    assert not (folder / 'data').exists()


def test_masks_have_the_labels_of_the_configs(folder):
    expected = {
        'pascal-context': ('SegmentationClassContext/2008_000001.png', [0, 1, 2, 59]),
        'voc12aug': ('SegmentationClassAug/2008_000003.png', [0, 1, 3, 15]),
        'person-part': ('SegmentationPersonPart/2008_000002.png', [0, 1, 2, 4]),
        'nyudv2': ('annotations/0001.png', [0, 5, 22, 40]),
        'cityscapes': ('gtFine/train/aachen/aachen_000000_000019_gtFine_labelTrainIds.png', [0, 18, 255]),
        'cocostuff10k': ('annotations/train2014/COCO_train2014_000000000001_labelTrainIds.png', [0, 12, 81, 171]),
    }
    for name, (mask, found) in expected.items():
        if name == 'nyudv2' and find_spec('h5py') is None:
            continue
        for old in (folder / 'archives').iterdir():
            old.unlink()
        archives.MAKERS[name](folder / 'archives')
        assert call(name, '--partial') == 0
        assert labels(Path('data', DATA_SETS[name].folder, mask)) == found


def test_lists_keep_the_splits_apart(folder):
    make('voc12aug', folder)
    assert call('voc12aug', '--partial') == 0
    lists = Path('data/VOCdevkit/VOC2012/ImageSets/Segmentation')
    assert (lists / 'aug.txt').read_text().split() == archives.NAMES[2:]
    make('person-part', folder)
    assert call('person-part', '--partial') == 0
    lists = Path('data/VOCdevkit/VOC2010/ImageSets/PersonPart')
    assert [(lists / f'{split}.txt').read_text().split() for split in ('train', 'val')] == [
        [archives.NAMES[1]],
        [archives.NAMES[3]],
    ]


def test_nyu_counts_from_one_and_turns_the_axes(folder):
    make('nyudv2', folder)
    assert call('nyudv2', '--partial') == 0
    assert Path('data/NYUDv2/train.txt').read_text().split() == ['0001', '0003']
    with Image.open('data/NYUDv2/images/0001.jpg') as image:
        assert image.size == (archives.W, archives.H)


def test_the_validation_of_imagenet_has_its_classes(folder):
    make('imagenet', folder)
    assert call('imagenet', '--partial') == 0
    found = {path.name: path.parent.name for path in Path('data/imagenet/val').rglob('*.JPEG')}
    # the ids of the archive run against the names
    assert found == {f'ILSVRC2012_val_{index:08d}.JPEG': f'n{1000 - index:08d}' for index in range(1, 1001)}


def test_two_archives_of_one_name_are_told_apart(folder, capsys):
    archives.pascal_context(folder / 'archives')
    assert call('person-part') == 1
    assert 'Annotations_Part' not in os.listdir(folder) and 'pascal_part_dataset' in tiny_runs.error_line(capsys)
    archives.parts_archive(folder / 'archives/part_trainval.tar.gz')
    assert call('person-part', '--partial') == 0 and call('pascal-context', '--partial') == 0


def test_coarse_masks_of_cityscapes_are_taken_if_they_are_there(folder, capsys):
    make('cityscapes', folder)
    archives.coarse(folder / 'archives')
    assert call('cityscapes', '--partial') == 0
    assert '1 extra coarse masks' in capsys.readouterr().out
    assert labels('data/cityscapes/gtCoarse/train_extra/augsburg/augsburg_000000_000000_gtCoarse_labelTrainIds.png')


def test_training_ids_are_those_of_cityscapesscripts():
    helpers = pytest.importorskip('cityscapesscripts.helpers.labels')
    known = {label.id: label.trainId for label in helpers.labels if label.id >= 0}
    assert {index: int(TABLE[index]) for index in known} == known


@pytest.mark.parametrize('bad', ['../evil.jpg', '/tmp/evil.jpg', 'a/../../evil.jpg'])
@pytest.mark.parametrize('kind', ['tar', 'zip'])
def test_a_name_that_leads_out_is_refused(kind, bad, folder, capsys):
    name = 'ade20k' if kind == 'zip' else 'voc12aug'
    make(name, folder)
    if kind == 'zip':
        archives.zipped(folder / 'archives/ADEChallengeData2016.zip', {bad: b'x'})
    else:
        archives.tar(folder / 'archives/VOCtrainval_11-May-2012.tar', {bad: b'x'})
    assert call(name) == 1
    assert 'leads out of the archive' in tiny_runs.error_line(capsys)
    assert not list(folder.rglob('evil.jpg'))


@pytest.mark.parametrize('name', DATA_SETS)
def test_a_truncated_archive_is_one_line(name, folder, capsys):
    make(name, folder)
    for path in (folder / 'archives').iterdir():
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert call(name, '--partial') == 1
    tiny_runs.error_line(capsys)


def test_a_file_of_another_size_is_not_overwritten(folder, capsys):
    make('voc12aug', folder)
    assert call('voc12aug', '--partial') == 0
    capsys.readouterr()
    Path('data/VOCdevkit/VOC2012/ImageSets/Segmentation/aug.txt').write_text('mine\n')
    assert call('voc12aug', '--partial') == 1
    assert 'differs from the archive' in tiny_runs.error_line(capsys)
    assert Path('data/VOCdevkit/VOC2012/ImageSets/Segmentation/aug.txt').read_text() == 'mine\n'


def test_links_in_a_tar_are_left_out(folder):
    import tarfile

    with tarfile.open(folder / 'a.tar', 'w') as archive:
        entry = tarfile.TarInfo('link')
        entry.type, entry.linkname = tarfile.SYMTYPE, '/etc/passwd'
        archive.addfile(entry)
    assert list(members(folder / 'a.tar', quiet=True)) == []


def test_without_a_name_the_data_sets_are_listed(capsys):
    assert mmrev(['prepare']) == 0
    out = capsys.readouterr().out
    assert all(f'{name}: ' in out and str(data_set.sources[0]) in out for name, data_set in DATA_SETS.items())


@pytest.mark.parametrize(
    ('argv', 'message'),
    [
        (['voc'], "unknown data set 'voc': use one of 'pascal-context'"),
        (['voc12aug', '--archives', 'nowhere'], 'is no folder'),
    ],
)
def test_wrong_arguments_are_one_line(argv, message, folder, capsys):
    assert prepare.main(argv) == 1
    assert message in tiny_runs.error_line(capsys)


def test_a_missing_package_is_one_line(folder, capsys, monkeypatch):
    from mmrev.preparation import packages

    archives.MAKERS['nyudv2'](folder / 'archives') if find_spec('h5py') else pytest.skip('h5py makes the archive')
    monkeypatch.setattr(packages, 'find_spec', lambda name: None)
    assert call('nyudv2', '--partial') == 1
    assert "pip install 'mmrev[prepare]'" in tiny_runs.error_line(capsys)


@pytest.mark.parametrize('content', [b'', b'no MATLAB file', bytes(200)])
def test_a_damaged_file_of_matlab_is_one_line(content, folder, capsys):
    make('pascal-context', folder)
    archives.tar(folder / 'archives/trainval.tar.gz', {'trainval/2008_000001.mat': content}, 'w:gz')
    assert call('pascal-context', '--partial') == 1
    assert 'trainval/2008_000001.mat is not as expected' in tiny_runs.error_line(capsys)
