"""``type='mmrev.X'`` in processes that have imported nothing yet, from each host's default scope."""

import importlib
import pkgutil

import pytest
from fresh_process import fake_distributions, run_fresh
from stacks import other, own

import mmrev
from mmrev import registry
from mmrev.catalog import CATALOG

HOSTS = ('mmseg', 'mmpretrain', 'mmdet')
# mmdet imports these, which a test environment may lack; nothing here calls them
MMDET_NEEDS = """
import sys
from unittest.mock import MagicMock

for module in ('mmcv._ext', 'imgaug', 'imgaug.augmenters', 'imgaug.augmentables', 'imgaug.augmentables.lines',
               'imgaug.augmentables.segmaps'):
    sys.modules[module] = MagicMock(__spec__=None)
"""
START = """
import logging
logging.disable(logging.WARNING)
from mmengine.registry import DATASETS, HOOKS, MODELS, TRANSFORMS, init_default_scope
from mmrev.errors import UserError

init_default_scope({scope!r})

def build(registry, name, **kwargs):
    try:
        print('built', type(registry.build(dict(type=f'mmrev.{{name}}', **kwargs))).__name__)
    except UserError as error:
        print('error', error)
"""
PARTS = """
for name in ('CheckWeightsHook', 'ExactResumeHook', 'FiniteLossHook', 'GracefulStopHook', 'LabelCheckHook',
             'ProgressBarHook', 'WorkDirHook'):
    build(HOOKS, name)
build(TRANSFORMS, 'CheckLabels', num_classes=2)
step = dict(type='mmrev.CheckLabels', num_classes=2)
for name in ('CamVidDataset', 'DigitScenesDataset', 'NYUDv2Dataset', 'PascalPersonPartDataset'):
    build(DATASETS, name, lazy_init=True, pipeline=[step])
for name in ('ASPPV2Head', 'LargeFOVHead', 'ReverseAttentionHead'):
    build(MODELS, name, in_channels=4, num_classes=2, in_index=0)
build(MODELS, 'ScaleAttentionHead', in_channels=4, num_classes=2)
for name in ('DilatedResNet', 'LargeFOVVGG'):
    build(MODELS, name, depth={'DilatedResNet': 18, 'LargeFOVVGG': 11}[name])
"""
TRAIN = """
import torch
from mmengine.config import ConfigDict
from mmengine.optim import OptimWrapper
from checks.model_checks import make_samples

build(MODELS, 'ReverseAttentionHead', in_channels=4, num_classes=2, in_index=0)
model = MODELS.build(ConfigDict(
    type='mmrev.MultiScaleEncoderDecoder', scales=(1.0, 0.5), test_cfg=dict(mode='whole'),
    data_preprocessor=dict(type='mmseg.SegDataPreProcessor', size=(32, 32)),
    backbone=dict(type='mmseg.ResNet', depth=18, base_channels=4, out_indices=(0, 1, 2, 3)),
    decode_head=dict(type='mmrev.ReverseAttentionHead', in_channels=32, num_classes=2, in_index=3)))
data = dict(inputs=[torch.zeros(3, 32, 32, dtype=torch.uint8)] * 2,
            data_samples=make_samples(torch.randint(2, (2, 32, 32))))
before = model.decode_head.conv_rev.bias.clone()
losses = model.train_step(data, OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1)))
assert losses['loss'].isfinite() and 'decode.scale_0.5.reverse.loss_ce' in losses
assert not torch.equal(before, model.decode_head.conv_rev.bias)
print('trained')
"""
NAMES = (
    'CheckWeightsHook',
    'ExactResumeHook',
    'FiniteLossHook',
    'GracefulStopHook',
    'LabelCheckHook',
    'ProgressBarHook',
    'WorkDirHook',
    'CheckLabels',
    'CamVidDataset',
    'DigitScenesDataset',
    'NYUDv2Dataset',
    'PascalPersonPartDataset',
    'ASPPV2Head',
    'LargeFOVHead',
    'ReverseAttentionHead',
    'ScaleAttentionHead',
    'DilatedResNet',
    'LargeFOVVGG',
)


def from_scope(scope, code, **kwargs):
    stubs = MMDET_NEEDS if scope == 'mmdet' else ''
    printed = run_fresh(stubs + START.format(scope=scope) + code, **kwargs).splitlines()
    return [line for line in printed if line.startswith(('built', 'error', 'trained'))]  # hosts print too


def test_the_module_that_mmengine_finds_by_the_prefix_needs_mmengine_alone():
    run_fresh('import mmrev.registry', absent=(*HOSTS, 'mmcv', 'torch', 'cv2', 'scipy', 'tqdm'))


def test_everything_is_built_where_mmseg_is_the_only_host():
    optional = ('sklearn', 'skimage', 'pydensecrf')
    assert from_scope('mmseg', PARTS + TRAIN, absent=('mmpretrain', 'mmdet', *optional)) == [
        *(f'built {name}' for name in NAMES),
        'built ReverseAttentionHead',
        'trained',
    ]


@pytest.mark.parametrize('scope', ['mmpretrain', 'mmdet'])
def test_without_mmseg_its_parts_say_what_to_install_and_the_others_are_built(scope):
    code = PARTS + "build(MODELS, 'MultiScaleEncoderDecoder')"
    assert from_scope(scope, code, absent=sorted({*HOSTS} - {scope})) == [
        *(f'built {name}' for name in NAMES[:8]),
        *(
            f'error mmrev.{name} cannot be built: mmseg is not installed: pip install {"==".join(own("mmseg"))}'
            for name in (*NAMES[8:], 'MultiScaleEncoderDecoder')
        ),
    ]


@pytest.mark.parametrize('scope', HOSTS)
def test_with_all_hosts_a_model_trains_from_each_scope(scope):
    assert from_scope(scope, TRAIN) == ['built ReverseAttentionHead', 'trained']


def test_without_mmcv_its_transform_says_what_to_install():
    code = "build(TRANSFORMS, 'CheckLabels', num_classes=2)"
    (line,) = from_scope('mmrev', code, absent=(*HOSTS, 'mmcv'))
    assert line.startswith('error mmrev.CheckLabels cannot be built: mmcv is not installed: pip install ')
    assert f' {"==".join(own("mmcv"))}' in line


def test_one_mmsegmentation_over_the_other_says_how_to_part_them(tmp_path):
    (wanted, version), (intruder, its_version) = own('mmseg'), other('mmseg')
    fake_distributions(tmp_path, (intruder, its_version), (wanted, version))
    assert from_scope('mmrev', "build(MODELS, 'ReverseAttentionHead')", path=[tmp_path]) == [
        f'error mmrev.ReverseAttentionHead cannot be built: {intruder} {its_version} lies over {wanted} {version} '
        f'in the folder mmseg/: pip uninstall -y {intruder} && pip install --force-reinstall --no-deps '
        f'{wanted}=={version}'
    ]


def test_every_registered_class_is_in_the_catalog_under_its_module():
    for module in pkgutil.walk_packages(mmrev.__path__, 'mmrev.'):
        if not module.name.endswith(('kernels_triton', 'kernels_triton_pairs', '__main__')):
            importlib.import_module(module.name)
    listed = {
        (entry.registry, name): f'{package}.{entry.module}'
        for package, entries in CATALOG.items()
        for name, entry in entries.items()
        if entry.registry
    }
    registered = {
        (kind, name): cls.__module__
        for kind in ('MODELS', 'DATASETS', 'TRANSFORMS', 'HOOKS', 'OPTIM_WRAPPERS')
        for name, cls in getattr(registry, kind).module_dict.items()
        if cls.__module__.startswith('mmrev.')
    }
    assert len(listed) >= 28 and registered == listed


@pytest.mark.parametrize('package', CATALOG)
def test_every_public_name_can_be_imported(package):
    module = importlib.import_module(package)
    assert module.__all__ == sorted(CATALOG[package])
    for name in module.__all__:
        assert getattr(module, name).__name__ == name
    with pytest.raises(AttributeError, match='has no attribute'):
        module.Nothing  # noqa: B018


@pytest.mark.parametrize('package', CATALOG)
def test_the_listed_host_is_the_one_that_the_module_imports(package):
    """Each module imports without the other hosts."""
    hosts = {entry.host for entry in CATALOG[package].values()} - {'mmcv', None}
    names = [name for name, entry in CATALOG[package].items() if entry.host not in hosts]
    code = f'import {package}\nprint(*(getattr({package}, name).__name__ for name in {names}))'
    assert run_fresh(code, absent=HOSTS).split() == names
