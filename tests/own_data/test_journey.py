"""The tutorial, run as it stands: docs/own_data.md on small images, in new processes, and the hosts' own tools."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import own_images
import pytest
import tiny_runs
from mmengine.config import Config

from mmrev.cli.main import main as mmrev
from mmrev.hosts import host_problem

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs/own_data.md').read_text()
STEMS = [f'{index:02d}' for index in range(10)]
ENVIRONMENT = {**tiny_runs.ENVIRONMENT, 'PYTHONPATH': os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')])}


@pytest.fixture
def photos(tmp_path):
    own_images.write_images(tmp_path / 'photos/images', STEMS)
    own_images.write_masks(tmp_path / 'photos/masks', STEMS, lambda mask: own_images.COLORS[mask])
    own_images.write_json(tmp_path / 'photos/instances.json', own_images.coco(STEMS))
    rows = zip(own_images.NAMES, own_images.COLORS, strict=True)
    (tmp_path / 'photos/classes.txt').write_text('\n'.join(f'{name} {r} {g} {b}' for name, (r, g, b) in rows))
    return tmp_path


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f'{shlex.join(map(str, command))}\n{done.stdout[-1000:]}\n{done.stderr[-3000:]}'
    return done.stdout


def commands() -> list[list[str]]:
    """The commands in the page's blocks of bash."""
    blocks = re.findall(r'```bash\n(.*?)```', PAGE, re.DOTALL)
    lines = [line for block in blocks for line in block.replace('\\\n', ' ').splitlines() if line.strip()]
    return [shlex.split(line) for line in lines]


def test_the_page_has_its_commands():
    assert [command[:2] for command in commands()] == [
        ['mmrev', 'new-config'],
        ['mmrev', 'train'],
        ['mmrev', 'predict'],
        ['mmrev', 'new-config'],
    ]


def test_the_page_runs(photos, monkeypatch, capsys):
    monkeypatch.chdir(photos)
    for _, *command in commands():
        if 'detection' in command and host_problem('mmdet', ops=True):
            continue
        assert tiny_runs.call(mmrev, *command) == 0
        out = capsys.readouterr().out
        if command[0] == 'new-config':
            assert 'quick run: passed' in out
            assert len(Path(command[command.index('--out') + 1]).read_text().splitlines()) <= 30
    overlays = sorted(path.stem for path in Path('predictions/overlays').iterdir())
    assert overlays == STEMS
    assert Path('predictions/areas.csv').read_text().splitlines()[0].endswith('background (%),road (%),car (%)')


def test_the_page_says_how_to_inherit(tmp_path):
    (block,) = re.findall(r'```python\n(.*?)```', PAGE, re.DOTALL)
    (tmp_path / 'mine.py').write_text(block)
    code = 'from mmengine.config import Config; print(Config.fromfile("mine.py").model)'
    out = run([sys.executable, '-c', code], tmp_path)
    assert "'in_channels': 2048" in out and "'mmrev.ReverseAttentionHead'" in out and "'depth': 50" in out


@pytest.mark.parametrize('host', ['mmseg', pytest.param('mmdet', marks=pytest.mark.slow)])
def test_the_hosts_own_tool_trains_it(host, photos, monkeypatch):
    """In a process of its own, which has not imported mmrev."""
    if problem := host_problem(host, ops=host == 'mmdet'):
        pytest.skip(problem)
    masks = 'masks' if host == 'mmseg' else 'instances.json'
    options = ['--backbone', 'r18', '--size', '64', '--weights', 'none', '--iters', '2', '--batch-size', '2']
    task = 'segmentation' if host == 'mmseg' else 'detection'
    make = ['--images', 'photos/images', '--masks', f'photos/{masks}', '--out', 'my.py', '--task', task]
    monkeypatch.chdir(photos)
    assert tiny_runs.call(mmrev, 'new-config', *make, *options, '--no-quick') == 0
    tool = Path(next(iter(find_spec(host).submodule_search_locations)), '.mim/tools/train.py')
    shutil.copy(tool, photos / 'train.py')
    loaders = [f'{split}_dataloader' for split in ('train', 'val')]
    changes = [f'{loader}.{change}' for loader in loaders for change in ('num_workers=0', 'persistent_workers=False')]
    short = [] if host == 'mmseg' else ['train_cfg.max_epochs=1', 'train_cfg.val_interval=1']
    run([sys.executable, 'train.py', 'my.py', '--cfg-options', *changes, *short], photos)
    assert list((photos / 'work_dirs/my').glob('*.pth'))


@pytest.mark.parametrize('method', ['baseline', 'ran_n', 'ran_s', 'scale_attention', 'ranet', 'ra'])
def test_every_method_trains(method, photos, monkeypatch, capsys):
    from mmrev.cli import new_config

    monkeypatch.chdir(photos)
    argv = ['--images', 'photos/images', '--masks', 'photos/masks', '--out', 'my.py', '--method', method]
    assert tiny_runs.call(new_config.main, *argv, '--backbone', 'r18', '--size', 64) == 0
    assert 'quick run: passed' in capsys.readouterr().out
    lines = Path('my.py').read_text().splitlines()
    assert len(lines) <= 30 and max(map(len, lines)) <= 120
    assert method != 'ranet' or 'BoundaryLabels' in Path('my.py').read_text()


def test_many_classes_go_into_a_file(photos, monkeypatch):
    from mmrev.own_data import Request, new_config

    monkeypatch.chdir(photos)
    Path('names.txt').write_text('\n'.join(f'a class with a long name {index}' for index in range(60)))
    own_images.write_masks(Path('photos/labels'), STEMS)
    made = new_config(
        Request(Path('photos/images'), Path('photos/labels'), Path('my.py'), classes=Path('names.txt'), method='ranet')
    )
    assert made.lines <= 30
    cfg = Config.fromfile('my.py')
    assert len(cfg.train_dataloader.dataset.metainfo.classes) == cfg.model.decode_head.num_classes == 60


def test_weights_of_a_whole_model_have_a_prefix(photos, monkeypatch):
    import torch

    from mmrev.own_data import Request, new_config

    monkeypatch.chdir(photos)
    torch.save(dict(state_dict={'backbone.layer1.0.conv1.weight': torch.zeros(1)}), 'model.pth')
    new_config(Request(Path('photos/images'), Path('photos/masks'), Path('my.py'), weights='model.pth'))
    assert Config.fromfile('my.py').model.backbone.init_cfg == dict(
        type='Pretrained', checkpoint='model.pth', prefix='backbone.'
    )
