"""The configs of combined methods: the parts that their names say, and weights that load from the model without RAN."""

import pytest
from mmengine.config import Config
from mmseg.registry import MODELS
from reading_configs import names_in, plain, read

from mmrev.config_files import find_config
from mmrev.engine.checkpoints import load_matching
from mmrev.models import MultiScaleEncoderDecoder, RAResNet, RegionAttentionHead, ReverseAttentionHead
from mmrev.models import ReverseAttentionWrapper as Wrapper

NAMES = names_in('combined')
WRAPPED = [name for name in NAMES if name.startswith('ran_n_') and 'scale_attention' not in name]
IN_MMSEG = {
    'ran_n_upernet_r50_cityscapes': 'upernet/upernet_r50_4xb2-40k_cityscapes-512x1024.py',
    'ran_n_deeplabv3plus_r50_cityscapes': 'deeplabv3plus/deeplabv3plus_r50-d8_4xb2-40k_cityscapes-512x1024.py',
    'ran_n_segformer_b0_cityscapes': 'segformer/segformer_mit-b0_8xb1-160k_cityscapes-1024x1024.py',
}


def build(model):
    for part in (model['backbone'], model):
        part.pop('init_cfg', None)
        part.pop('pretrained', None)
    return MODELS.build(model)


@pytest.mark.parametrize('name', NAMES)
def test_the_parts_are_those_of_the_name(name):
    model = build(read(name).copy().model)
    head = model.decode_head
    assert isinstance(model.backbone, RAResNet) == ('_ra_' in name or name.startswith('all_four'))
    assert getattr(model, 'attends', False) == ('scale_attention' in name or name.startswith('all_four'))
    assert isinstance(head, RegionAttentionHead) == name.startswith(('ranet_', 'all_four'))
    assert isinstance(head, (ReverseAttentionHead, Wrapper)) == name.startswith(('ran_n_', 'all_four'))
    assert isinstance(model, MultiScaleEncoderDecoder) == ('scale_attention' in name or name.startswith('all_four'))
    assert head.num_classes == (11 if 'camvid' in name else 19)


@pytest.mark.parametrize('name', [name for name in WRAPPED if 'camvid' in name])
def test_only_the_head_differs_from_the_baseline(name):
    ours, baseline = plain(name), plain(name.removeprefix('ran_n_'))
    head = ours['model']['decode_head']
    assert head.pop('mode') == 'normalized' and head.pop('type') == 'mmrev.ReverseAttentionWrapper'
    head['type'] = head.pop('head')
    assert ours == baseline


@pytest.mark.parametrize('name', WRAPPED)
def test_the_weights_of_the_model_without_ran_load(name):
    cfg = Config.fromfile(find_config(f'mmseg::{IN_MMSEG[name]}')) if name in IN_MMSEG else None
    bare = build(cfg.model) if cfg else build(read(name.removeprefix('ran_n_')).copy().model)
    match = load_matching(build(read(name).copy().model), bare.state_dict())
    assert match.missing == ('decode_head.conv_rev.bias', 'decode_head.conv_rev.weight')
    assert not match.reshaped and not match.left_over
