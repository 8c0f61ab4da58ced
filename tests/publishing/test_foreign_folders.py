"""A published model from strangers, whole or not."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tiny_runs
import torch
from pictures import save

from mmrev import Predictor
from mmrev.cli import predict as predict_command
from mmrev.engine.checkpoints import read_checkpoint
from mmrev.engine.safetensors_files import from_safetensors, to_safetensors
from mmrev.errors import CheckpointError, ConfigError


def rewritten(published, tmp_path, **meta):
    content = read_checkpoint(next(published.glob('*.safetensors')))
    folder = tmp_path / 'theirs'
    folder.mkdir()
    path = folder / 'a.safetensors'
    path.write_bytes(to_safetensors(content['state_dict'], {**content['meta'], **meta}))
    return folder


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ("x = __import__('os').mkdir({mark!r})\n", 'holds more than plain values (line 1: __import__'),
        ('import os\n', 'holds more than plain values (line 1: import os)'),
        ("x = [y for y in open('a')]\n", 'holds more than plain values'),
        ("x = dict(type='os.mkdir', path={mark!r})\n", "has type='os.mkdir': expected the name of a registered class"),
        ("custom_imports = dict(imports=['antigravity'])\n", 'imports its own modules'),
        ('x = (\n', 'is no text of a config'),
    ],
)
def test_a_config_is_never_run(published, tmp_path, change, message):
    mark = tmp_path / 'mark'
    config = change.format(mark=str(mark)) + (published / 'config.py').read_text()
    with pytest.raises(ConfigError) as error:
        Predictor(rewritten(published, tmp_path, config=config))
    assert message in str(error.value) and '\n' not in str(error.value) and not mark.exists()


def test_other_folders_and_files(published, tmp_path):
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'models--me--empty/snapshots').mkdir(parents=True)
    for name in ('empty', 'nowhere', 'models--me--empty'):
        with pytest.raises(ConfigError, match=f'{name} is no published model: give a config and a checkpoint'):
            Predictor(tmp_path / name)
    bare = tmp_path / 'bare.safetensors'
    bare.write_bytes(to_safetensors({'a': torch.ones(1)}, {}))
    with pytest.raises(ConfigError, match='bare.safetensors holds no config: give the config before it'):
        Predictor(bare)
    cut = tmp_path / 'cut.safetensors'
    cut.write_bytes(next(published.glob('*.safetensors')).read_bytes()[:-5])
    with pytest.raises(CheckpointError, match='cut.safetensors is truncated or not a file of safetensors'):
        Predictor(cut)
    shutil.copy(next(published.glob('*.safetensors')), published / 'second.safetensors')
    with pytest.raises(CheckpointError, match='has several'):
        Predictor(published)


def test_arguments_of_predict(segmenter, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / 'a.png', np.zeros((48, 64, 3), np.uint8))
    Path('empty').mkdir()
    Path('ran_n_r18_camvid').mkdir()  # a work dir has the name of its config
    for argv, message in (
        (['empty', 'a.png'], 'empty is no published model: give a config and a checkpoint, a folder of'),
        (['ran_n_r18_camvid', 'nothing.pth', 'a.png'], 'nothing.pth is missing: expected a checkpoint file'),
        (segmenter, 'there is nothing to predict: name pictures, videos or folders after the checkpoint'),
    ):
        assert tiny_runs.call(predict_command.main, *argv) == 1
        assert message in tiny_runs.error_line(capsys)


def test_shared_and_strided_tensors_are_written_whole(tmp_path):
    base = torch.arange(12.0).view(3, 4)
    state = dict(a=base, b=base, c=base.t(), d=base[1], e=torch.tensor(3))
    path = tmp_path / 'a.safetensors'
    path.write_bytes(to_safetensors(state, {}))
    with path.open('rb') as file:
        back = from_safetensors(file)['state_dict']
    assert all(torch.equal(back[key], value) for key, value in state.items())
