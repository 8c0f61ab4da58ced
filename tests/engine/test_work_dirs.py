import os
from pathlib import Path

import pytest
import torch
from mmengine.fileio import get_file_backend

from mmrev.engine import work_dirs
from mmrev.engine.work_dirs import last_checkpoint, save_whole_files, write_whole
from mmrev.errors import CheckpointError


def save(path, iteration, epoch=0):
    torch.save(dict(meta=dict(iter=iteration, epoch=epoch), state_dict={}), path)


def test_a_write_that_fails_leaves_the_former_file(tmp_path, monkeypatch):
    write_whole(tmp_path / 'a.pth', b'former')

    def fail(descriptor):
        assert (tmp_path / 'a.pth').read_bytes() == b'former'
        raise OSError('full')

    monkeypatch.setattr(work_dirs.os, 'fsync', fail)
    with pytest.raises(OSError, match='full'):
        write_whole(tmp_path / 'a.pth', b'new')
    assert (tmp_path / 'a.pth').read_bytes() == b'former'
    assert [path.name for path in tmp_path.iterdir()] == ['a.pth']


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / 'real').mkdir()
    (tmp_path / 'link.pth').symlink_to(tmp_path / 'real/a.pth')
    write_whole(tmp_path / 'link.pth', b'new')
    assert (tmp_path / 'link.pth').is_symlink() and (tmp_path / 'real/a.pth').read_bytes() == b'new'


def test_mmengine_writes_whole_files(tmp_path, monkeypatch):
    save_whole_files()
    file = str(tmp_path / 'new folder/a.pth')
    get_file_backend(file).put(b'former', file)

    def fail(*_):
        raise OSError('killed')

    monkeypatch.setattr(work_dirs.os, 'replace', fail)
    with pytest.raises(OSError, match='killed'):
        get_file_backend(file).put(b'new', file)
    assert Path(file).read_bytes() == b'former'


@pytest.mark.parametrize(
    ('iterations', 'epochs', 'wanted'),
    [
        ([9, 10], [], 'iter_10.pth'),
        ([], [2, 11], 'epoch_11.pth'),
        ([5], [1], 'epoch_1.pth'),  # an epoch is ten iterations
        ([15], [1], 'iter_15.pth'),
    ],
)
def test_the_last_of_several_is_found_without_its_name(iterations, epochs, wanted, tmp_path):
    for number in iterations:
        save(tmp_path / f'iter_{number}.pth', number)
    for number in epochs:
        save(tmp_path / f'epoch_{number}.pth', 10 * number, number)
    (tmp_path / 'best_mIoU_iter_99.pth').write_bytes(b'')
    (tmp_path / 'iter_x.pth').write_bytes(b'')
    (tmp_path / 'last_checkpoint').write_text('')  # killed while it was written
    said = []
    assert last_checkpoint(tmp_path, said.append) == str(tmp_path / wanted)
    (line,) = said
    assert line.startswith(f'{tmp_path / "last_checkpoint"} names none. The training goes on from')


def test_a_whole_one_is_taken_without_a_word(tmp_path):
    save(tmp_path / 'iter_2.pth', 2)
    save(tmp_path / 'iter_3.pth', 3)
    (tmp_path / 'last_checkpoint').write_text('/elsewhere/iter_2.pth')  # the work dir was moved
    said = []
    assert last_checkpoint(tmp_path, said.append) == str(tmp_path / 'iter_2.pth') and not said


def test_the_one_before_is_taken(tmp_path):
    for number in (8, 9, 10):
        save(tmp_path / f'iter_{number}.pth', number)
    for number in (9, 10):
        os.truncate(tmp_path / f'iter_{number}.pth', 100)
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'iter_10.pth'))
    said = []
    assert last_checkpoint(tmp_path, said.append) == str(tmp_path / 'iter_8.pth')
    assert f'{tmp_path / "iter_10.pth"} is truncated' in said[0]
    (tmp_path / 'iter_8.pth').unlink()
    with pytest.raises(CheckpointError, match='no other checkpoint in'):
        last_checkpoint(tmp_path, said.append)


def test_an_empty_folder_has_none(tmp_path):
    assert last_checkpoint(tmp_path) is None
