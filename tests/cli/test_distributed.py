import subprocess
import sys
from pathlib import Path

import pytest
import tiny_runs

from mmrev.engine import read_checkpoint

TRAIN = Path(__file__).parents[2] / 'tools/train.py'


@pytest.mark.slow
def test_two_processes_on_cpus(tmp_path):
    cfg = tiny_runs.segmentation(tmp_path / 'data', length=8)
    cfg.model.backbone.type = 'mmrev.RAResNet'
    cfg.custom_hooks += [dict(type='mmrev.TemperatureAnnealingHook', epochs=2)]
    config = tiny_runs.save(cfg, tmp_path / 'c.py')
    done = subprocess.run(
        [
            sys.executable,
            '-m',
            'torch.distributed.run',
            '--standalone',
            '--nproc-per-node',
            '2',
            str(TRAIN),
            config,
            '--launcher',
            'pytorch',
            '--work-dir',
            str(tmp_path / 'w'),
            '--cfg-options',
            'train_cfg.val_interval=2',
        ],
        env=tiny_runs.ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('batch: 4 images a step (2 x 2 processes x 1 accumulated)') == 1
    last = read_checkpoint(tmp_path / 'w/iter_2.pth')
    assert last['meta']['iter'] == 2
    # an epoch of 8 images is 2 iterations of 2 x 2
    assert last['state_dict']['backbone.layer1.0.addition.gate.temperature'] == 15.5
    assert 'mIoU' in tiny_runs.logged(tmp_path / 'w')
