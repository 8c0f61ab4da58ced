"""Tiny networks of all methods, exported once and run at other sizes. Random weights, batch norms and images."""

from importlib.util import find_spec

import numpy as np
import pytest
import torch
from mmengine.registry import MODELS
from stacks import UPSTREAM
from torch import nn

from mmrev.errors import CheckpointError, ConfigError
from mmrev.export import exporting
from mmrev.export.checking import Comparison, compare, require_equal
from mmrev.export.dense_regions import without_operators
from mmrev.export.formats import run_archive, run_onnx, trace, write_archive, write_onnx
from mmrev.export.network import Network, prepared, require_exportable
from mmrev.export.pooling import ExactPooling

pytestmark = pytest.mark.skipif(UPSTREAM, reason='export needs torch 2.6')
onnx_is_here = pytest.mark.skipif(not all(map(find_spec, ('onnx', 'onnxscript', 'onnxruntime'))), reason='no onnx')

DEEP = dict(depth=18, base_channels=8, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4))
WIDTHS = [8, 16, 32, 64]
LFOV = dict(type='mmrev.LargeFOVHead', in_channels=64, in_index=3, num_classes=5)
RAN = dict(type='mmrev.ReverseAttentionHead', mode='normalized', in_channels=64, in_index=3, num_classes=5)
RANET = dict(type='mmrev.RegionAttentionHead', in_channels=64, in_index=3, num_classes=5, channels=8)
UPER = dict(type='UPerHead', in_channels=WIDTHS, in_index=[0, 1, 2, 3], channels=8, num_classes=5)
ATTENTION = dict(type='mmrev.ScaleAttentionHead', in_channels=WIDTHS, num_classes=5, scale_channels=8, channels=8)
MULTI = dict(type='mmrev.MultiScaleEncoderDecoder')
SEGMENTORS = {
    'RAN-n': dict(decode_head=RAN),
    'RAN-n, one class': dict(decode_head=dict(RAN, num_classes=2, out_channels=1)),
    'RAN-n, three scales': dict(MULTI, decode_head=RAN, scales=(1.0, 0.75, 0.5)),
    'RAN-n, aligned corners': dict(MULTI, decode_head=dict(RAN, align_corners=True), scales=(1.0, 0.75)),
    'scale attention': dict(MULTI, decode_head=LFOV, scales=(1.0, 0.5), fusion=ATTENTION),
    'RA-Net in UPerNet': dict(backbone=dict(type='mmrev.RAResNet'), decode_head=UPER),
    'RA-MobileNetV2': dict(
        backbone=dict(type='mmrev.RAMobileNetV2', widen_factor=0.1, out_indices=(5, 6)),
        decode_head=dict(LFOV, in_channels=32, in_index=1),
    ),
    'RANet': dict(decode_head=RANET),
}
FREE = [(1, 97, 129), (3, 127, 155), (1, 64, 258), (2, 194, 101)]


def awake(model):
    """Gives all parameters of one dimension, the gates among them, values of a trained network."""
    torch.manual_seed(0)
    for name, parameter in model.named_parameters():
        if parameter.dim() == 1:
            nn.init.normal_(parameter, 1 if 'weight' in name else 0, 0.2)
    return model.eval()


def segmentor(backbone=None, **options):
    backbone = backbone or dict(type='ResNet')
    if 'ResNet' in backbone['type']:
        backbone = {**DEEP, **backbone}
    config = dict(type='EncoderDecoder', backbone=backbone, train_cfg={}, test_cfg=dict(mode='whole'), **{})
    return awake(MODELS.build({**config, 'data_preprocessor': dict(type='SegDataPreProcessor'), **options}))


def images(shapes=FREE, uint8=False):
    return exporting.random_images(shapes, uint8)


def program_of(network, size=(97, 129)):
    return trace(prepared(network), next(images([(2, *size)], network.uint8)))


@pytest.mark.parametrize('name', SEGMENTORS)
def test_an_archive_is_right_at_other_sizes(name):
    network = Network(segmentor(**SEGMENTORS[name]), 'segmentation')
    found = compare(run_archive(write_archive(program_of(network), {})), network, images())
    assert found.labels == sum(batch * height * width for batch, height, width in FREE)
    assert found.relative < 1e-5 and found.agreement > 0.9999


@onnx_is_here
@pytest.mark.slow
@pytest.mark.parametrize('name', [name for name in SEGMENTORS if name != 'RANet'])
def test_an_onnx_file_is_right_at_other_sizes(name):
    network = Network(segmentor(**SEGMENTORS[name]), 'segmentation')
    found = compare(run_onnx(write_onnx(program_of(network), {}, ['scores'])), network, images())
    assert found.relative < 1e-4 and found.agreement > 0.999


@pytest.mark.parametrize('output', ['probabilities', 'labels'])
def test_other_outputs_and_images_in_bytes(output):
    preprocessor = dict(
        type='SegDataPreProcessor', mean=[100.0, 110, 120], std=[50.0, 60, 70], bgr_to_rgb=output == 'labels'
    )
    model = segmentor(decode_head=LFOV, data_preprocessor=preprocessor)
    network = Network(model, 'segmentation', output, uint8=True)
    batch = next(images([(2, 64, 65)], uint8=True))
    run = run_archive(write_archive(program_of(network), {}))
    bgr = [image.flip(0) for image in batch]
    with torch.no_grad():
        data = model.data_preprocessor(dict(inputs=bgr, data_samples=None))['inputs']
        scores = model.encode_decode(data, [dict(img_shape=(64, 65))])
    expected = scores.softmax(1) if output == 'probabilities' else scores.argmax(1)
    np.testing.assert_allclose(run(batch)[0], expected, atol=1e-5)


@pytest.mark.parametrize('size', [(1, 1), (2, 3), (6, 4), (3, None)])
@pytest.mark.parametrize('shape', [(7, 5), (4, 9), (2, 2)])
def test_pooling_with_matrices_is_adaptive_pooling(size, shape):
    maps = torch.randn(2, 3, *shape)
    torch.testing.assert_close(ExactPooling(size)(maps), nn.AdaptiveAvgPool2d(size)(maps))


@onnx_is_here
@pytest.mark.slow
def test_ranet_in_onnx_at_one_size():
    network = Network(segmentor(decode_head=RANET), 'segmentation')
    program = trace(prepared(network), next(images([(2, 97, 129)])), free=False)
    found = compare(run_onnx(write_onnx(without_operators(program), {}, ['scores'])), network, images([(3, 97, 129)]))
    assert found.relative < 1e-4 and found.agreement > 0.999 and found.labels == 3 * 97 * 129


def test_ranet_says_what_to_use():
    ranet = segmentor(decode_head=RANET)
    with pytest.raises(ConfigError, match='images of one size, .* 1024 pixels .* or use --format torch-export'):
        require_exportable(ranet, 'segmentation', 'onnx')
    require_exportable(ranet, 'segmentation', 'onnx', fixed=True)
    require_exportable(ranet, 'segmentation', 'torch-export')
    authors = dict(RANET, layout='authors')
    with pytest.raises(ConfigError, match='lists whose length depends on the image'):
        require_exportable(segmentor(decode_head=authors), 'segmentation', 'torch-export')


def test_padding_is_refused():
    padding = dict(type='SegDataPreProcessor', test_cfg=dict(size_divisor=32))
    with pytest.raises(ConfigError, match='pads images'):
        require_exportable(segmentor(decode_head=LFOV, data_preprocessor=padding), 'segmentation', 'onnx')


class Frozen(nn.Module):
    """A size becomes a number, as in trap 9."""

    def forward(self, batch):
        height = int(batch.shape[2] * 0.5)
        return batch[:, :, :height]


def test_a_size_that_becomes_a_number_is_refused():
    program = trace(Frozen(), torch.zeros(2, 3, 97, 129))
    with pytest.raises(CheckpointError, match=r'does not run on images of \[3, 3, 127, 155\]|gives .* where torch'):
        compare(run_archive(write_archive(program, {})), Frozen(), images())


def test_the_backbone_of_a_detector():
    """A backbone gives a list of maps, or one map alone."""
    model = nn.Module()
    for indices in ((2, 3), (3,)):
        model.backbone = awake(MODELS.build(dict(type='mmrev.RAResNet', **DEEP, out_indices=indices)))
        network = Network(model, 'detection').eval()
        found = compare(run_archive(write_archive(program_of(network), {})), network, images(), labelled=False)
        assert found.relative < 1e-5 and found.labels == 0


@pytest.mark.parametrize(
    ('scale', 'shift', 'real', 'message'),
    [
        (1.0, 1e-2, False, r'its outputs differ by 0.01 from those of torch'),
        (-1.0, 0, False, 'differ by'),
        (float('nan'), 0, False, 'differ by'),
        (1.0, 1e-6, False, None),
        (1.0, 0, True, None),
    ],
)
def test_a_wrong_file_is_refused(scale, shift, real, message):
    network, batches = nn.Identity(), [torch.rand(1, 3, 4, 5)]
    found = compare(lambda batch: [batch.numpy() * scale + shift], network, batches)
    if message is None:
        require_equal(found, real)
        return
    with pytest.raises(CheckpointError, match=message):
        require_equal(found, real)


def test_other_labels_on_real_images_are_refused():
    with pytest.raises(CheckpointError, match='99.80 % of its top labels'):
        require_equal(Comparison(equal=998, labels=1000), real=True)
    require_equal(Comparison(equal=998, labels=1000), real=False)


def test_a_file_that_does_not_run_or_has_other_shapes_is_refused():
    def fails(batch):
        raise RuntimeError('invalid index')

    batches = [torch.rand(1, 3, 4, 5)]
    with pytest.raises(CheckpointError, match=r'does not run on images of \[1, 3, 4, 5\]: invalid index'):
        compare(fails, nn.Identity(), batches)
    with pytest.raises(CheckpointError, match=r'gives \[1, 3, 4, 4\] where torch gives \[1, 3, 4, 5\]'):
        compare(lambda batch: [batch.numpy()[..., :4]], nn.Identity(), batches)
