"""The command with models of each host, and mmseg's own functions with our configs."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import tiny_runs
from fresh_process import run_fresh
from mmengine.config import Config
from pictures import save
from trained_models import save_model

from mmrev.cli import predict
from mmrev.config_files import config_root, find_config
from mmrev.hosts import host_problem

OWN_API = """
import logging, sys
logging.disable(logging.WARNING)
import numpy as np, torch
from mmseg.apis import MMSegInferencer, inference_model, init_model
config, checkpoint = {config!r}, {checkpoint!r}
image = np.zeros((64, 64, 3), np.uint8)
model = init_model(config, None, device='cpu')
meta = dict(dataset_meta=dict(classes=['a'] * 11, palette=[[0, 0, 0]] * 11))
torch.save(dict(state_dict=model.state_dict(), meta=meta), checkpoint)
print(*inference_model(model, image).pred_sem_seg.data.shape)
print(*MMSegInferencer(config, checkpoint, device='cpu')(image)['predictions'].shape)
"""


@pytest.fixture
def photos(here) -> list[str]:
    rng = np.random.default_rng(0)
    return [str(save(here / f'{name}.png', rng.integers(0, 256, (48, 64, 3), dtype=np.uint8))) for name in 'ab']


def test_the_labels_of_a_classifier(photos, tmp_path):
    model = save_model(tmp_path / 'model', 'classification', dict(dataset_meta=dict(classes=['cat', 'dog'])))
    assert tiny_runs.call(predict.main, *model, *photos, '--device', 'cpu', '--probabilities') == 0
    with open('predictions/labels.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    assert [row['image'] for row in rows] == ['a.png', 'b.png']
    for row in rows:
        assert row['class'] == ['cat', 'dog'][int(row['label'])]
        assert float(row['score']) == max(float(row['score of cat']), float(row['score of dog']))
        assert float(row['score']) + float(row['score 2']) == pytest.approx(1, abs=1e-4)


@pytest.mark.skipif(bool(host_problem('mmdet', ops=True)), reason='mmdet or its operators are missing')
@pytest.mark.parametrize('masks', [False, True])
def test_the_boxes_of_a_detector(photos, tmp_path, masks, monkeypatch):
    if masks:
        plain = tiny_runs.detection
        monkeypatch.setattr(tiny_runs, 'detection', lambda folder: plain(folder, masks=True))
    model = save_model(tmp_path / 'model', 'detection')
    assert tiny_runs.call(predict.main, *model, *photos, '--device', 'cpu', '--score-thr', '0') == 0
    found = json.loads(Path('predictions/boxes.json').read_text())
    assert [image['file_name'] for image in found['images']] == ['a.png', 'b.png']
    assert [found['images'][0][key] for key in ('width', 'height')] == [64, 48]
    assert found['annotations']
    for entry in found['annotations']:
        assert 1 <= entry['category_id'] <= len(found['categories'])
        x, y, width, height = entry['bbox']
        assert min(x, y, width, height) >= 0 and x + width <= 64.1 and y + height <= 48.1
        assert ('segmentation' in entry) == masks
    assert sorted(path.name for path in Path('predictions/overlays').iterdir()) == ['a.jpg', 'b.jpg']


def test_the_command_line(segmenter, photos, capsys):
    Path('c.jpg').write_bytes(b'')
    assert tiny_runs.call(predict.main, *segmenter, *photos, 'c.jpg', '--device', 'cpu') == 1
    out, err = capsys.readouterr()
    assert '2 predicted, 1 failed, in predictions: areas.csv, legend.png' in out
    lines = [line for line in err.splitlines() if line.startswith('mmrev: ')]
    assert lines == [
        'mmrev: problem: c.jpg is empty (0 bytes): copy or export it again',
        'mmrev: error: 1 of the inputs failed, see above; the rest is done',
    ]
    assert tiny_runs.call(predict.main, *segmenter, 'c.jpg', '--device', 'cpu') == 1
    assert tiny_runs.error_line(capsys) == 'mmrev: error: c.jpg is empty (0 bytes): copy or export it again'


def test_mmsegs_own_functions_need_no_import_of_mmrev(tmp_path):
    config = str(find_config('ran_n_r18_camvid'))
    out = run_fresh(OWN_API.format(config=config, checkpoint=str(tmp_path / 'c.pth')))
    assert [line for line in out.splitlines() if line.endswith('64 64')] == ['1 64 64', '64 64']


def test_importing_mmrev_imports_nothing_else():
    code = "import sys, mmrev; print([name for name in ('torch', 'mmengine', 'numpy') if name in sys.modules])"
    assert run_fresh(code) == '[]\n'


def test_each_segmentation_config_has_the_pipeline_that_inference_model_reads():
    seen = 0
    for path in sorted(config_root().rglob('*.py')):
        if '_base_' in path.parts:
            continue
        cfg = Config.fromfile(path)
        if cfg.get('default_scope') == 'mmseg':
            own, used = cfg.test_pipeline, cfg.test_dataloader.dataset.pipeline
            pipelines = [[step for step in steps if step.type != 'LoadAnnotations'] for steps in (own, used)]
            assert pipelines[0] == pipelines[1], path
            seen += 1
    assert seen > 80
