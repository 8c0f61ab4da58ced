"""`mmrev publish`: input that is wrong. Each error is one line, and nothing is lost."""

import os
from pathlib import Path

import malicious_checkpoints
import pytest
import tiny_runs
import torch

from mmrev.cli import publish as publish_command
from mmrev.errors import HostError
from mmrev.publishing import publish


def refused(*argv, capsys):
    assert tiny_runs.call(publish_command.main, *argv) == 1
    return tiny_runs.error_line(capsys)


@pytest.mark.parametrize(
    ('write', 'message'),
    [
        (lambda path: None, 'is missing: expected a checkpoint file'),
        (lambda path: path.write_bytes(b'no checkpoint'), 'is truncated or not a checkpoint'),
        (lambda path: path.write_bytes(b'\x00' * 8 + b'{'), 'is truncated or not a file of safetensors'),
        (lambda path: torch.save({'meta': {}}, path), 'holds no weights'),
        (lambda path: torch.save([1], path), 'holds a list'),
        (lambda path: torch.save({'state_dict': {'a': torch.ones(1)}}, path), 'is of another model'),
    ],
)
def test_a_wrong_checkpoint_is_one_line_and_leaves_nothing(segmenter, tmp_path, capsys, write, message):
    write(tmp_path / 'a.pth')
    before = sorted(tmp_path.iterdir())
    assert message in refused(segmenter[0], tmp_path / 'a.pth', '--out', tmp_path / 'out', capsys=capsys)
    assert sorted(tmp_path.iterdir()) == before


def test_code_is_refused(segmenter, tmp_path, capsys):
    torch.save({'a': malicious_checkpoints.Call(os.mkdir, str(tmp_path / 'mark'))}, tmp_path / 'a.pth')
    line = refused(segmenter[0], tmp_path / 'a.pth', '--out', tmp_path / 'out', capsys=capsys)
    assert 'holds pickled code' in line and not (tmp_path / 'mark').exists() and not (tmp_path / 'out').exists()


def test_a_checkpoint_without_a_config(segmenter, tmp_path, capsys):
    line = refused(segmenter[1], '--out', tmp_path / 'out', capsys=capsys)
    assert 'holds no config: give the config before the checkpoint' in line


def test_the_users_files_stay(published, segmenter, tmp_path, capsys):
    before = {path.name: path.read_bytes() for path in published.iterdir()}
    assert 'replace it with --force' in refused(*segmenter, '--out', published, capsys=capsys)
    assert tiny_runs.call(publish_command.main, *segmenter, '--out', published, '--force') == 0
    assert {path.name for path in published.iterdir()} == before.keys()
    (published / 'notes.txt').write_text('mine')
    for force in ([], ['--force']):
        assert 'such as notes.txt' in refused(*segmenter, '--out', published, *force, capsys=capsys)
    (tmp_path / 'file').touch()
    assert 'is a file: name a folder' in refused(*segmenter, '--out', tmp_path / 'file', capsys=capsys)


@pytest.mark.parametrize('there', [False, True])
@pytest.mark.parametrize('error', [OSError(28, 'No space left on device'), KeyboardInterrupt()])
def test_a_stop_leaves_all_as_it_was(segmenter, tmp_path, monkeypatch, capsys, error, there):
    out = tmp_path / 'out'
    if there:
        publish(segmenter[1], segmenter[0], out)
    before = {path.name: path.read_bytes() for path in out.iterdir()} if there else None
    plain = os.replace

    def fail(source, target):
        if Path(target).name == 'README.md':
            raise error
        plain(source, target)

    monkeypatch.setattr('os.replace', fail)
    capsys.readouterr()
    status = tiny_runs.call(publish_command.main, *segmenter, '--out', out, '--force')
    assert status == (130 if isinstance(error, KeyboardInterrupt) else 1)
    assert tiny_runs.error_line(capsys)
    assert [path.name for path in tmp_path.iterdir()] == (['out'] if there else [])
    if there:
        assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_failed_exchange_brings_the_old_folder_back(published, segmenter, monkeypatch):
    before, plain = sorted(path.name for path in published.iterdir()), os.replace

    def fail(source, target):
        if Path(target) == published and '.unfinished_' in str(source):
            raise PermissionError(13, 'Permission denied')
        plain(source, target)

    monkeypatch.setattr('os.replace', fail)
    with pytest.raises(ValueError, match='cannot be written'):
        publish(segmenter[1], segmenter[0], published, force=True)
    assert sorted(path.name for path in published.iterdir()) == before
    assert [path.name for path in published.parent.iterdir()] == [published.name]


def test_without_the_package_it_says_what_to_install(segmenter, tmp_path, monkeypatch):
    monkeypatch.setattr('mmrev.engine.safetensors_files.find_spec', lambda name: None)
    with pytest.raises(HostError, match=r"pip install 'mmrev\[publish\]'"):
        publish(segmenter[1], segmenter[0], tmp_path / 'out')
