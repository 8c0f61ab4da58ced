import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmrev.errors import ConfigError
from mmrev.evaluation import dense_crf
from mmrev.models.segmentors.crf_refinement import original_image

PREPROCESSORS = {
    'caffe': dict(mean=[104.008, 116.669, 122.675], std=[1.0, 1.0, 1.0], bgr_to_rgb=False),
    'torchvision': dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True),
}
CRF = dict(iterations=2, bilateral_xy=9, bilateral_rgb=10, gaussian_xy=2)


def build(crf, preprocessor='torchvision', **head):
    model = MODELS.build(
        ConfigDict(
            type='mmrev.MultiScaleEncoderDecoder',
            scales=(1.0, 0.5),
            data_preprocessor=dict(
                type='SegDataPreProcessor', test_cfg=dict(size_divisor=32), **PREPROCESSORS[preprocessor]
            ),
            backbone=dict(
                type='ResNet', depth=18, base_channels=4, num_stages=1, strides=(1,), dilations=(1,), out_indices=(0,)
            ),
            decode_head=dict(dict(type='mmrev.LargeFOVHead', in_channels=4, in_index=0, num_classes=4), **head),
            test_cfg=dict(mode='whole', crf=crf),
        )
    )
    torch.manual_seed(1)
    for parameter in model.decode_head.parameters():
        torch.nn.init.normal_(parameter, std=2)
    return model.eval()


def batch(model, photo, **meta):
    """Makes the batch of a test pipeline from an RGB image [H, W, 3]: BGR, [3, H, W], uint8."""
    inputs = torch.from_numpy(np.ascontiguousarray(photo[:, :, ::-1].transpose(2, 0, 1)))
    meta = dict(dict(ori_shape=photo.shape[:2], img_shape=photo.shape[:2]), **meta)
    return model.data_preprocessor(dict(inputs=[inputs], data_samples=[SegDataSample(metainfo=meta)]))


@pytest.fixture()
def photo():
    return np.random.default_rng(0).integers(0, 256, (37, 50, 3), np.uint8)


@pytest.mark.parametrize('preprocessor', PREPROCESSORS)
@pytest.mark.parametrize('flip', [None, 'horizontal', 'vertical'])
def test_the_image_comes_back_exactly(photo, preprocessor, flip):
    model = build(None, preprocessor)
    axis = {None: None, 'horizontal': 1, 'vertical': 0}[flip]
    seen = photo if axis is None else np.flip(photo, axis)
    data = batch(model, seen, flip=flip is not None, flip_direction=flip)
    assert data['inputs'].shape[2:] == (64, 64)  # padded
    back = original_image(data['inputs'][0], data['data_samples'][0], model.data_preprocessor, photo.shape[:2])
    np.testing.assert_array_equal(back, photo)


@torch.no_grad()
def test_switch_in_the_test_config(photo):
    plain, refined = build(None), build(CRF)
    refined.load_state_dict(plain.state_dict(), strict=True)
    data = batch(plain, photo)
    before = plain.predict(**data)[0].seg_logits.data
    expected = dense_crf(photo, before.softmax(0).numpy(), **CRF)
    result = refined.predict(**batch(refined, photo))[0]
    np.testing.assert_allclose(result.seg_logits.data.softmax(0).numpy(), expected, atol=1e-5)
    np.testing.assert_array_equal(result.pred_sem_seg.data[0].numpy(), expected.argmax(0))
    assert not np.allclose(before.softmax(0).numpy(), expected, atol=1e-2)


@pytest.mark.parametrize('crf', [None, False])
def test_off(photo, crf):
    model = build(crf)
    data = batch(model, photo)
    logits = model.inference(data['inputs'], [data['data_samples'][0].metainfo])[0, :, :37, :50]
    torch.testing.assert_close(model.predict(**data)[0].seg_logits.data, logits)


def test_sigmoid_heads_are_refused(photo):
    model = build(CRF, num_classes=2, out_channels=1, threshold=0.5)
    with pytest.raises(ConfigError, match='two or more classes'):
        model.predict(**batch(model, photo))
