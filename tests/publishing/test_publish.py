"""`mmrev publish`: the folder, and that each way back gives the very predictions of the checkpoint."""

import hashlib
import json
import os
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import tiny_runs
import torch
from fresh_process import run_fresh
from huggingface_hub import ModelCard
from mmengine.config import Config
from pictures import save
from trained_models import CLASSES, PALETTE, save_model

from mmrev import Predictor
from mmrev.cli import predict as predict_command
from mmrev.cli import publish as publish_command
from mmrev.cli import test as test_command
from mmrev.engine.checkpoints import read_checkpoint
from mmrev.engine.published import find_published
from mmrev.errors import CheckpointError
from mmrev.hosts import host_problem
from mmrev.publishing import publish

no_detectors = pytest.mark.skipif(bool(host_problem('mmdet', ops=True)), reason='detectors need compiled operators')
KINDS = ['segmentation', 'classification', pytest.param('detection', marks=no_detectors)]


def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)


def outputs(predictor) -> list[torch.Tensor]:
    """All tensors of a prediction."""
    sample = predictor(picture())[0].sample
    parts = [part.data if hasattr(part, 'data') else part for part in sample.values()]
    tensors = [part for part in parts if isinstance(part, torch.Tensor)]
    if 'pred_instances' in sample:
        tensors += [value for _, value in sorted(sample.pred_instances.items())]
    assert tensors
    return tensors


@pytest.mark.parametrize('kind', KINDS)
def test_the_predictions_are_equal_bit_by_bit(kind, tmp_path):
    changes = {'model.test_cfg.rcnn.score_thr': 0.0} if kind == 'detection' else {}
    config, checkpoint = save_model(tmp_path / 'model', kind, **changes)
    done = publish(checkpoint, config, tmp_path / 'out')
    expected = outputs(Predictor(config, checkpoint, 'cpu'))
    for source in ((done.folder,), (done.file,), (config, done.file)):
        ours = outputs(Predictor(*source, device='cpu'))
        assert len(ours) == len(expected) and all(map(torch.equal, ours, expected))


def test_the_folder(published, segmenter):
    (file,) = published.glob('*.safetensors')
    assert sorted(path.name for path in published.iterdir()) == sorted(['README.md', 'config.py', file.name])
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert file.name.endswith(f'-{digest[:8]}.safetensors') and digest in (published / 'README.md').read_text()
    content = read_checkpoint(file)
    assert content['meta']['dataset_meta'] == dict(classes=list(CLASSES), palette=PALETTE)
    assert content['meta']['config'] == (published / 'config.py').read_text()
    assert content['meta']['versions']['torch'] == torch.__version__.partition('+')[0]
    weights = read_checkpoint(segmenter[1])['state_dict']
    assert weights.keys() == content['state_dict'].keys() and len(weights) > 20
    assert all(torch.equal(weights[key], content['state_dict'][key]) for key in weights)
    assert content['state_dict']._metadata['backbone.bn1'] == weights._metadata['backbone.bn1']


def test_the_header_is_texts_of_json(published):
    data = next(published.glob('*.safetensors')).read_bytes()
    length = struct.unpack('<Q', data[:8])[0]
    texts = json.loads(data[8 : 8 + length])['__metadata__']
    assert texts.pop('format') == 'pt' and {'dataset_meta', 'versions', 'config'} <= texts.keys()
    assert all(isinstance(text, str) and json.loads(text) is not None for text in texts.values())


def test_the_same_model_gives_the_same_file(published, segmenter, tmp_path):
    config, checkpoint = segmenter
    assert publish(checkpoint, config, tmp_path / 'again').file.name == next(published.glob('*.safetensors')).name


def test_the_hub_reads_the_card(segmenter, tmp_path):
    config, checkpoint = segmenter
    publish(
        checkpoint, config, tmp_path / 'out', license='mit', metrics={'mIoU': 61.25}, datasets=['CamVid'], name='sky'
    )
    card = ModelCard.load(tmp_path / 'out/README.md', ignore_metadata_errors=False)
    assert (card.data.library_name, card.data.license, card.data.datasets) == ('mmrev', 'mit', ['CamVid'])
    assert card.data.pipeline_tag == 'image-segmentation' and 'mmrev' in card.data.tags
    (result,) = card.data.eval_results
    assert (result.metric_type, result.metric_value, result.dataset_name) == ('mIoU', 61.25, 'CamVid')
    assert card.data.model_name == 'sky' and (tmp_path / 'out').joinpath('README.md').read_text().count('---\n') == 2


def test_a_card_without_scores_has_none(published):
    card = ModelCard.load(published / 'README.md')
    assert card.data.eval_results is None and card.data.license == 'unknown' and '| scores | not given |' in card.text


def test_paths_of_the_author_are_left_out(published, segmenter):
    folder = str(Path(segmenter[0]).parent)
    for path in published.iterdir():
        assert folder.encode() not in path.read_bytes()
    assert 'work_dir' not in (published / 'config.py').read_text()


def hub_copy(published, cache, revision='0123abcd', main=True):
    """The folders and links that huggingface_hub makes for a download."""
    blobs, snapshot = cache / 'blobs', cache / 'snapshots' / revision
    for folder in (blobs, snapshot, cache / 'refs'):
        folder.mkdir(parents=True, exist_ok=True)
    for path in published.iterdir():
        blob = blobs / hashlib.sha256(path.read_bytes()).hexdigest()
        shutil.copy(path, blob)
        (snapshot / path.name).symlink_to(os.path.relpath(blob, snapshot))
    if main:
        (cache / 'refs/main').write_text(revision)
    return snapshot


def test_the_folders_of_huggingface_hub(published, segmenter, tmp_path):
    cache = tmp_path / 'models--me--sky'
    snapshot = hub_copy(published, cache)
    expected = outputs(Predictor(*segmenter, device='cpu'))
    for folder in (snapshot, cache):
        assert all(map(torch.equal, outputs(Predictor(folder, device='cpu')), expected))
    hub_copy(published, cache, '4567', main=False)
    assert find_published(cache).parent == snapshot
    (cache / 'refs/main').unlink()
    with pytest.raises(CheckpointError, match=r'snapshots has several \(0123abcd, 4567\): give one of them'):
        find_published(cache)


def test_the_checkpoint_brings_its_config(segmenter, tmp_path):
    config, checkpoint = segmenter
    content = torch.load(checkpoint, weights_only=False)
    content['meta'].update(cfg=Config.fromfile(config).pretty_text, epoch=0, iter=7)
    torch.save(content, tmp_path / 'iter_7.pth')
    done = publish(tmp_path / 'iter_7.pth', out=tmp_path / 'out')
    assert read_checkpoint(done.file)['meta']['iter'] == 7
    assert all(map(torch.equal, outputs(Predictor(done.folder)), outputs(Predictor(*segmenter))))


def test_the_averaged_weights_of_a_run_with_ema(tmp_path):
    """A real run of two iterations: the file has the weights that mmengine's test loads."""
    from mmengine.runner import Runner

    cfg = tiny_runs.segmentation(tmp_path / 'data')
    cfg.work_dir = str(tmp_path / 'run')
    cfg.custom_hooks += [dict(type='EMAHook', momentum=0.5)]
    runner = Runner.from_cfg(cfg)
    runner.train()
    last = {key: value.clone() for key, value in runner.model.state_dict().items()}
    (ema,) = [hook.ema_model.module.state_dict() for hook in runner.hooks if type(hook).__name__ == 'EMAHook']
    state = read_checkpoint(publish(tmp_path / 'run/iter_2.pth', out=tmp_path / 'out').file)['state_dict']
    assert state.keys() == last.keys()
    key = 'decode_head.conv_org.weight'
    assert torch.equal(state[key], ema[key]) and not torch.equal(state[key], last[key])


def test_the_commands(segmenter, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / 'a.png', picture())
    config, checkpoint = segmenter
    options = ['--metrics', 'mIoU=61.2', 'aAcc=90', '--license', 'mit', '--name', 'sky']
    assert tiny_runs.call(publish_command.main, config, checkpoint, '--out', 'out', *options) == 0
    file = next(Path('out').glob('sky-*.safetensors'))
    assert f'published: {file}' in capsys.readouterr().out
    for source, folder in (('out', 'one'), (file, 'two')):
        assert tiny_runs.call(predict_command.main, source, 'a.png', '--device', 'cpu', '--out', folder) == 0
    assert tiny_runs.call(predict_command.main, config, checkpoint, 'a.png', '--device', 'cpu', '--out', 'three') == 0
    masks = [Path(folder, 'masks/a.png').read_bytes() for folder in ('one', 'two', 'three')]
    assert masks[0] == masks[1] == masks[2]


def test_the_test_command_and_load_from(tmp_path, capsys):
    config, checkpoint = save_model(tmp_path / 'model', 'segmentation')
    file = publish(checkpoint, config, tmp_path / 'out').file
    scores = []
    for weights in (checkpoint, file):
        assert tiny_runs.call(test_command.main, config, weights, '--work-dir', tmp_path / 'run') == 0
        scores.append([line for line in capsys.readouterr().out.splitlines() if 'mIoU: ' in line][-1].split('data_')[0])
    assert scores[0].split('mIoU')[1] == scores[1].split('mIoU')[1]
    from mmengine.runner import Runner

    cfg = Config.fromfile(config)
    cfg.work_dir, cfg.load_from = str(tmp_path / 'start'), str(file)
    runner = Runner.from_cfg(cfg)
    runner.load_or_resume()
    expected = read_checkpoint(checkpoint)['state_dict']
    assert all(torch.equal(value, expected[key]) for key, value in runner.model.state_dict().items())


MMSEG = """
import logging
logging.disable(logging.WARNING)
import numpy as np
from mmseg.apis import inference_model, init_model
model = init_model({config!r}, {file!r}, device='cpu')
print(model.dataset_meta['classes'], *inference_model(model, np.zeros((64, 64, 3), np.uint8)).pred_sem_seg.data.shape)
"""


def test_mmsegs_own_functions_load_it_without_an_import_of_ours(published, segmenter, tmp_path):
    file, cfg = next(published.glob('*.safetensors')), Config.fromfile(segmenter[0])
    cfg.test_pipeline = [dict(type='LoadImageFromFile'), dict(type='PackSegInputs')]
    config = tiny_runs.save(cfg, tmp_path / 'config.py')
    assert run_fresh(MMSEG.format(config=config, file=str(file))).splitlines()[-1] == f'{list(CLASSES)} 1 64 64'
