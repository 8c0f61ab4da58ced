import os
import pickle
import re
import shutil
from collections import OrderedDict
from contextlib import suppress

import malicious_checkpoints
import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader
from torch import nn

from mmrev.engine import read_checkpoint
from mmrev.engine.checkpoints import load_matching, state_dict_of
from mmrev.engine.safe_loading import forbid_code
from mmrev.errors import CheckpointError


@pytest.fixture
def mmengine_forbids_code(monkeypatch):
    monkeypatch.setattr(CheckpointLoader, '_schemes', dict(CheckpointLoader._schemes))
    forbid_code()


@pytest.mark.parametrize('kind', malicious_checkpoints.KINDS)
def test_code_in_a_file_is_refused_and_not_run(kind, tmp_path):
    with pytest.raises(CheckpointError, match='pickled code') as error:
        read_checkpoint(malicious_checkpoints.write(kind, tmp_path))
    assert not (tmp_path / malicious_checkpoints.MARK).exists()
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('kind', malicious_checkpoints.KINDS)
def test_mmengine_refuses_code_too(kind, tmp_path, mmengine_forbids_code):
    with pytest.raises(CheckpointError, match='pickled code'):
        CheckpointLoader.load_checkpoint(str(malicious_checkpoints.write(kind, tmp_path)), logger='silent')
    assert not (tmp_path / malicious_checkpoints.MARK).exists()


@pytest.mark.parametrize('kind', malicious_checkpoints.KINDS)
def test_these_files_would_run_code(kind, tmp_path, monkeypatch):
    """If they would not, the tests above would show nothing."""
    monkeypatch.setattr(HistoryBuffer, '_statistics_methods', {})
    path = malicious_checkpoints.write(kind, tmp_path)
    assert not (tmp_path / malicious_checkpoints.MARK).exists()
    with suppress(TypeError):  # some files are of no use but for their code
        torch.load(path, weights_only=False)
    assert (tmp_path / malicious_checkpoints.MARK).exists()


@pytest.mark.parametrize(
    ('kind', 'named'),
    [
        (malicious_checkpoints.through_system, 'posix.system'),
        (malicious_checkpoints.through_eval, 'builtins.eval'),
        (malicious_checkpoints.through_getattr, "builtins.getattr(builtins.function, '__self__')"),
        (malicious_checkpoints.torchscript_file, 'a TorchScript program'),
    ],
)
def test_the_refusal_names_what_it_met(kind, named, tmp_path):
    with pytest.raises(CheckpointError, match=re.escape(f'was refused: it holds {named}, which could run anything')):
        read_checkpoint(malicious_checkpoints.write(kind, tmp_path))


@pytest.mark.parametrize(('owner', 'name'), [(np.ndarray, 'mean'), (HistoryBuffer, 'update'), (getattr, '__self__')])
def test_attributes_other_than_those_of_mmengine_are_refused(owner, name, tmp_path):
    torch.save({'x': malicious_checkpoints.Call(getattr, owner, name)}, tmp_path / 'c.pth')
    with pytest.raises(CheckpointError, match='pickled code'):
        read_checkpoint(tmp_path / 'c.pth')


def test_torch_load_of_the_process_stays_as_it_was(tmp_path, mmengine_forbids_code):
    path = malicious_checkpoints.write(malicious_checkpoints.plain, tmp_path)
    before = dict(os.environ)
    with pytest.raises(CheckpointError):
        read_checkpoint(path)
    assert os.environ == before
    assert torch.load(path, weights_only=False)['meta'] is None


def test_torch_may_be_told_to_load_weights_only(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_FORCE_WEIGHTS_ONLY_LOAD', '1')
    torch.save({'epoch': np.int64(3)}, tmp_path / 'c.pth')
    assert read_checkpoint(tmp_path / 'c.pth') == {'epoch': 3}
    assert os.environ['TORCH_FORCE_WEIGHTS_ONLY_LOAD'] == '1'
    with pytest.raises(pickle.UnpicklingError):
        torch.load(malicious_checkpoints.write(malicious_checkpoints.plain, tmp_path), weights_only=False)


@pytest.fixture
def net(tmp_path, monkeypatch):
    """Every download is a copy of this file."""
    home = tmp_path / 'home'
    home.mkdir()
    (home / 'open_mmlab.json').write_text('{"from_net": "https://host/a.pth", "from_home": "b.pth"}')
    (home / 'b.pth').symlink_to(tmp_path / 'malicious.pth')
    monkeypatch.setenv('MMENGINE_HOME', str(home))
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    monkeypatch.setattr(torch.hub, 'download_url_to_file', lambda url, path, **_: shutil.copy(file, path))
    file = tmp_path / 'malicious.pth'
    return file


REMOTE = ['https://host/a.pth?x=1', 'torchvision://resnet18', 'open-mmlab://from_net', 'open-mmlab://from_home']


@pytest.mark.parametrize('name', [*REMOTE, 'mmcls://vgg11'])
def test_code_from_the_net_is_refused(name, net, tmp_path, mmengine_forbids_code):
    malicious_checkpoints.write(malicious_checkpoints.plain, tmp_path)
    with pytest.raises(CheckpointError, match=f'{re.escape(name)} holds pickled code'):
        read_checkpoint(name)
    with pytest.raises(CheckpointError, match='pickled code'):
        CheckpointLoader.load_checkpoint(name, map_location='cpu', logger='silent')
    assert not (tmp_path / malicious_checkpoints.MARK).exists()


@pytest.mark.parametrize('name', REMOTE)
def test_weights_from_the_net_are_read(name, net, mmengine_forbids_code):
    torch.save({'state_dict': {'backbone.w': torch.ones(1)}}, net)
    assert list(read_checkpoint(name)['state_dict']) == ['backbone.w']
    assert list(CheckpointLoader.load_checkpoint(name, logger='silent')['state_dict']) == ['backbone.w']
    net.unlink()
    if name != 'open-mmlab://from_home':
        assert read_checkpoint(name)  # from the cache


def test_weights_of_mmcls_lose_their_prefix(net):
    torch.save({'state_dict': {'backbone.w': torch.ones(1), 'head.w': torch.ones(1)}}, net)
    assert list(read_checkpoint('mmcls://vgg11')['state_dict']) == ['w']


def test_checkpoints_of_mmengine_are_read(tmp_path):
    log = HistoryBuffer([1.0, 2.0], [1, 1])
    torch.save(
        {'state_dict': {'w': torch.ones(2)}, 'message_hub': {'log_scalars': OrderedDict(loss=log)}}, tmp_path / 'c.pth'
    )
    assert read_checkpoint(tmp_path / 'c.pth')['message_hub']['log_scalars']['loss'].mean() == 1.5


@pytest.mark.parametrize('legacy', [False, True])
@pytest.mark.parametrize('keep', [0, 100, -1])
def test_truncated_files(keep, legacy, tmp_path):
    torch.save({'w': torch.ones(1000)}, tmp_path / 'c.pth', _use_new_zipfile_serialization=not legacy)
    (tmp_path / 'c.pth').write_bytes((tmp_path / 'c.pth').read_bytes()[:keep])
    with pytest.raises(CheckpointError, match='c.pth is truncated or not a checkpoint') as error:
        read_checkpoint(tmp_path / 'c.pth')
    assert '\n' not in str(error.value)


@pytest.mark.parametrize(
    ('content', 'message'),
    [(b'<html>404</html>', 'truncated or not a checkpoint'), (b'hello world', 'truncated or not a checkpoint')],
)
def test_other_files(content, message, tmp_path):
    (tmp_path / 'c.pth').write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        read_checkpoint(tmp_path / 'c.pth')


def test_what_is_no_dict_and_what_is_no_file(tmp_path):
    torch.save([1], tmp_path / 'c.pth')
    with pytest.raises(CheckpointError, match='holds a list'):
        read_checkpoint(tmp_path / 'c.pth')
    with pytest.raises(CheckpointError, match='is missing'):
        read_checkpoint(tmp_path / 'none.pth')
    with pytest.raises(CheckpointError, match='cannot be fetched'):
        read_checkpoint('torchvision://no_such_net')


@pytest.mark.parametrize('wrap', [lambda s: s, lambda s: {'state_dict': s, 'epoch': 3}, lambda s: {'model': s}])
def test_state_dict_of_all_forms(wrap):
    state = OrderedDict({'module.a.weight': torch.ones(1), 'b': torch.zeros(1)})
    state._metadata = OrderedDict({'a': dict(version=2)})
    found = state_dict_of(wrap(state))
    assert list(found) == ['a.weight', 'b']
    assert found._metadata == state._metadata


def test_load_matching():
    model = nn.Sequential(OrderedDict(a=nn.Linear(2, 3), b=nn.BatchNorm1d(3)))
    match = load_matching(
        model,
        {
            'a.weight': torch.ones(3, 2),
            'a.bias': torch.ones(4),
            'c': torch.ones(1),
            'b.num_batches_tracked': torch.tensor(1),
            'b.weight': torch.ones(3),
        },
    )
    assert match.matched == ('a.weight', 'b.weight')
    assert match.missing == ('b.bias', 'b.running_mean', 'b.running_var')
    assert match.reshaped == ('a.bias (4,) -> (3,)',)
    assert match.left_over == ('c',)
    assert str(match) == '2 of 6 keys matched, 3 missing, 1 of another shape, 1 left over'
    assert (match.total, match.offered) == (6, 4)


def test_names_that_the_model_itself_renames_do_match():
    class Renamed(nn.Linear):
        _version = 2

        def _load_from_state_dict(self, state_dict, prefix, local_metadata, *args):
            if local_metadata.get('version', 1) < 2:
                state_dict[f'{prefix}weight'] = state_dict.pop(f'{prefix}old')
            super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)

    model = nn.Sequential(Renamed(2, 2, bias=False))
    assert load_matching(model, {'0.old': torch.ones(2, 2)}).matched == ('0.weight',)
    assert load_matching(model, state_dict_of(model.state_dict())).matched == ('0.weight',)
