"""``--quick`` as a user starts it: one config a table here, all of them with ``make test-all``."""

import subprocess
import sys
from pathlib import Path

import pytest
import tiny_runs

from mmrev.hosts import host_problem

ROOT = Path(__file__).parents[2]
CONFIGS = sorted(
    file.relative_to(ROOT / 'configs').with_suffix('').as_posix()
    for file in (ROOT / 'configs').rglob('*.py')
    if '_base_' not in file.parts
)
ONE_A_TABLE = (
    'ran/deeplabv2_aspp_r101_pcontext',
    'ran/ran_n_r101_crf_pcontext',
    'ran/ran_s_r101_personpart',
    'ran/ran_n_r101_voc12aug',
    'ran/ran_s_r101_nyudv2',
    'ran/ran_n_r101_ade20k',
    'ran/ran_n_r18_camvid',
    'demo/ran_n_digit_scenes',
    'ra_net/ra_resnet50_in1k',
    'ra_net/cbam_mobilenetv2_050_in1k',
    'ra_net/ra_resnet18_norm_bn_in1k',
    'ra_net/faster_rcnn_se_r50_fpn_coco',
    'ra_net/mask_rcnn_ra_r50_fpn_coco',
    'ra_net/upernet_ra_r50_ade20k',
    'scale_attention/max_fusion_vgg16_voc12aug',
    'scale_attention/attention_to_scale_vgg16_voc12aug',
    'scale_attention/scale_attention_psp_r34d8_ade20k',
    'scale_attention/scale_attention_vgg16_camvid',
    'ranet/nonlocal_r101_cityscapes',
    'ranet/ranet_r101_k4_cityscapes',
    'ranet/psanet_r101_cityscapes',
    'ranet/ranet_hrnetv2_w48_aspp_coarse_cityscapes',
    'ranet/ranet_r101_cocostuff10k',
    'ranet/ranet_r18_camvid',
)
SERVER = ('_trainval_cityscapes', '_coarse_cityscapes')


def test_the_chosen_configs_exist():
    assert set(ONE_A_TABLE) < set(CONFIGS) and len(CONFIGS) >= 135


def metric_of(name):
    return {'_in1k': 'accuracy/top1', '_coco': 'coco/bbox_mAP'}.get(name[-5:], 'mIoU')


@pytest.mark.parametrize(
    'name', [name if name in ONE_A_TABLE else pytest.param(name, marks=pytest.mark.slow) for name in CONFIGS]
)
def test_quick_run(name, tmp_path):
    if name.endswith('_coco') and (problem := host_problem('mmdet', ops=True)):
        pytest.skip(problem)
    if name.startswith(('ranet/ccnet', 'ranet/psanet')) and (problem := host_problem('mmseg', ops=True)):
        pytest.skip(problem)
    if name.endswith(SERVER):
        pytest.importorskip('cityscapesscripts')
    command = [sys.executable, ROOT / 'tools/train.py', ROOT / f'configs/{name}.py', '--quick']
    done = subprocess.run(
        command, cwd=tmp_path, env=tiny_runs.ENVIRONMENT, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stderr[-2000:]
    report = done.stdout.splitlines()[-1]
    assert report.startswith('quick run passed')
    assert f'{metric_of(name)} ' in report or (name.endswith(('_coco', *SERVER)) and '(no figures' in report)
    assert not list(tmp_path.iterdir()), 'a quick run leaves nothing behind'
