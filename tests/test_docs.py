"""The blocks of code in the pages: each one is run by a test, or a list says why it cannot run."""

import argparse
import ast
import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest
import tiny_runs
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmrev.cli.main import COMMANDS
from mmrev.hosts import host_problem
from mmrev.registry import MODELS

ROOT = Path(__file__).parents[1]
PAGES = ['README.md', *sorted(f'docs/{path.name}' for path in (ROOT / 'docs').glob('*.md'))]
PART = 'a part of a config: the whole one is in docs/recipes.md or configs/'
# (page, start of the block) -> why it is not run as it stands
NOT_RUN = {
    ('README.md', 'make demo'): 'takes minutes; tests/cli/test_demo.py runs a small one',
    ('README.md', 'pip install .'): 'installs; `make release-check` installs the wheel in an empty environment',
    ('README.md', 'python tools/train.py'): 'needs the data set; tests/configs run --quick of each config',
    ('README.md', "backbone=dict(type='mmrev.RAResNet'"): PART,
    ('README.md', "model = dict(decode_head=dict(type='mmrev.ReverseAttentionHead'"): PART,
    ('README.md', "model = dict(type='mmrev.MultiScaleEncoderDecoder'"): PART,
    ('README.md', 'network = mmrev.models.add_reverse_attention'): 'tests/models/surgery/test_libraries.py',
    ('docs/combining.md', 'model = dict('): PART,
    ('docs/combining.md', "_base_ = './upernet"): 'configs/combined/ran_n_upernet_r18_camvid.py is this config',
    ('docs/datasets.md', 'pip install cityscapesscripts'): 'needs the data set',
    ('docs/export.md', 'PYTHONPATH=. python benchmarks/int8.py ran'): 'needs data sets and weights',
    ('docs/export.md', 'import json, onnxruntime'): 'needs an exported file; tests/export makes tiny ones',
    ('docs/export.md', 'import torch'): 'needs an exported file; tests/export loads tiny ones so',
    ('docs/predict.md', 'import mmrev'): 'needs a trained model; tests/prediction runs these calls on tiny ones',
    ('docs/publishing.md', 'import mmrev'): 'needs a trained model; tests/publishing makes this call',
    ('docs/publishing.md', 'from huggingface_hub'): 'downloads; tests/publishing reads such a folder',
    ('docs/ra_net.md', "backbone=dict(type='mmrev.RAResNet'"): PART,
    ('docs/ra_net.md', "backbone=dict(type='mmrev.add_reverse_attention'"): PART,
    ('docs/ra_net.md', 'python tools/train.py'): 'needs COCO and a trained backbone',
    ('docs/ran.md', "_base_ = 'configs/ran/"): 'needs the test images of VOC',
    ('docs/ranet.md', "decode_head=dict(type='mmrev.RegionAttentionHead'"): PART,
    ('docs/ranet.md', 'python benchmarks/'): 'needs CamVid; tests/benchmarks runs it on made-up maps',
    ('docs/results.md', 'make evidence'): 'takes hours; tests/evidence runs small ones',
    ('docs/results.md', 'make gpu'): 'needs a GPU; tests/evidence/test_gpu_slices.py runs made-up slices',
    ('docs/scale_attention.md', 'model = dict('): PART,
    ('docs/scale_attention.md', "decode_head=dict(type='UPerHead'"): PART,
    ('docs/training.md', 'python -m torch.distributed.run'): 'tests/cli/test_distributed.py runs it',
    ('docs/training.md', 'custom_hooks = ['): PART,
    ('docs/web_page.md', 'from gradio_client'): 'needs a page that runs; tests/web/test_page.py makes these calls',
}
# pages whose blocks are run as they stand, and by which test
RUN = {
    'docs/own_data.md': 'tests/own_data/test_journey.py',
    'docs/plain_torch.md': 'this file, but for the last block, which downloads weights',
    'docs/recipes.md': 'this file',
}


def blocks(page):
    return re.findall(r'^```(bash|python)\n(.*?)^```', (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)


def reason(page, text):
    return [key for key in NOT_RUN if key[0] == page and text.startswith(key[1])]


def commands():
    """(page, line) of each call of mmrev."""
    for page in PAGES:
        for language, text in blocks(page):
            if language == 'bash':
                for line in text.replace('\\\n', ' ').splitlines():
                    if line.startswith('mmrev '):
                        yield page, line


COMMAND_LINES = list(commands())
RECIPES = [text for language, text in blocks('docs/recipes.md') if language == 'python']


def test_each_block_is_run_or_says_why_not():
    used = set()
    for page in PAGES:
        for _, text in blocks(page):
            keys = reason(page, text)
            used |= {*keys}
            lines = [line for line in text.replace('\\\n', ' ').splitlines() if line.strip()]
            checked = all(line.startswith(('mmrev ', 'tensorboard ', 'pip ')) for line in lines)
            assert page in RUN or len(keys) == 1 or checked, (page, text)
    assert used == NOT_RUN.keys()
    assert all(map(str.strip, NOT_RUN.values()))


@pytest.mark.parametrize('page', PAGES)
def test_python_in_the_pages_parses(page):
    for language, text in blocks(page):
        if language == 'python':  # "..." stands for the rest of a config
            ast.parse(re.sub(r', \.\.\.\)', ')', text))


def parser_of(command, monkeypatch):
    """The parser that a command makes before it does anything."""
    found = []

    def stop(self, *_, **__):
        found.append(self)
        raise KeyError

    monkeypatch.setattr(argparse.ArgumentParser, 'parse_args', stop)
    module = import_module(f'mmrev.cli.{command.replace("-", "_")}')
    with pytest.raises(KeyError):
        module.main([])
    monkeypatch.undo()
    return found[0]


def test_the_pages_call_mmrev():
    assert len(COMMAND_LINES) > 15 and {'curves', 'new-config', 'predict', 'train'} <= {
        line.split()[1] for _, line in COMMAND_LINES
    }


@pytest.mark.parametrize(('page', 'line'), COMMAND_LINES, ids=lambda value: re.sub(r'\W+', '_', value)[:40])
def test_each_command_line_is_understood(page, line, monkeypatch):
    command, *words = shlex.split(line.replace('...', ''), comments=True)[1:]
    assert command in COMMANDS
    parser_of(command, monkeypatch).parse_args(words)


def save(recipe, folder):
    (folder / 'mine.py').write_text(recipe)
    return Config.fromfile(folder / 'mine.py')


def require(cfg):
    if problem := host_problem(cfg.default_scope, ops=cfg.default_scope == 'mmdet'):
        pytest.skip(problem)


def test_the_page_has_its_recipes():
    assert len(RECIPES) == 4
    names = ['ReverseAttentionHead', 'RAResNet', 'ScaleAttentionHead', 'RegionAttentionHead']
    assert all(f'mmrev.{name}' in recipe for name, recipe in zip(names, RECIPES, strict=True))
    assert all(f'mmrev.{name}' in str(RECIPES[3:]) for name in names[1:])


@pytest.mark.parametrize('recipe', RECIPES, ids=range(len(RECIPES)))
def test_a_recipe_builds(recipe, tmp_path):
    cfg = save(recipe, tmp_path)
    require(cfg)
    cfg.model.backbone.init_cfg = None
    cfg.model.pop('pretrained', None)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = MODELS.build(cfg.model)
    assert 'mmrev.' in str({type(module).__module__ for module in model.modules()})


def test_the_blocks_in_plain_torch():
    blocks_here = [text for language, text in blocks('docs/plain_torch.md') if language == 'python']
    *heads, downloads = [text for text in blocks_here if 'mmrev' in text]
    assert len(heads) == 3 and 'pretrained=True' in downloads
    maps, labels = torch.rand(2, 512, 8, 8), torch.randint(19, (2, 64, 64))
    scales = dict(features=[[torch.rand(2, 64, n, n), torch.rand(2, 512, n, n)] for n in (8, 4)])
    for text, inputs, shape in zip(
        heads,
        (dict(features=maps), dict(**scales, scores=[torch.rand(2, 19, n, n) for n in (8, 4)]), dict(features=maps)),
        ([2, 19, 8, 8], [2, 19, 8, 8], [2, 19, 8, 8]),
        strict=True,
    ):
        names = dict(inputs, labels=labels, nn=torch.nn)
        exec(text, names)
        result = names['fused'] if 'fused' in names else names['head'](names['features'])
        assert list(result.shape) == shape and all(loss > 0 for loss in names.get('losses', {}).values())


@pytest.mark.slow
@pytest.mark.parametrize('recipe', RECIPES, ids=range(len(RECIPES)))
def test_a_recipe_trains(recipe, tmp_path, capfd):
    from mmrev.cli import train

    require(save(recipe, tmp_path))
    assert tiny_runs.call(train.main, tmp_path / 'mine.py', '--quick') == 0
    assert 'quick run passed' in capfd.readouterr().out
