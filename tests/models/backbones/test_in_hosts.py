"""A training step of each host's models with each of the backbones."""

import pytest
import torch
from checks.model_checks import make_samples, total_loss
from mmengine.registry import MODELS, DefaultScope
from mmengine.structures import InstanceData

from mmrev.hosts import host_problem

NETWORKS = {
    'ResNet': dict(depth=18, base_channels=4, stem_channels=4, out_indices=(1, 3)),
    'MobileNetV2': dict(widen_factor=0.25, out_indices=(2, 6)),
}
CHANNELS = {'ResNet': [8, 32], 'MobileNetV2': [8, 80]}


def classifier(backbone, channels):
    model = MODELS.build(
        dict(
            type='ImageClassifier',
            backbone=backbone,
            neck=dict(type='mmrev.PoolDropout', p=0.1),
            head=dict(type='LinearClsHead', num_classes=3, in_channels=channels[-1]),
        )
    )
    from mmpretrain.structures import DataSample

    return model, [DataSample().set_gt_label(label) for label in (0, 2)]


def segmentor(backbone, channels):
    model = MODELS.build(
        dict(
            type='EncoderDecoder',
            backbone=backbone,
            train_cfg=dict(),
            test_cfg=dict(mode='whole'),
            decode_head=dict(type='FCNHead', in_channels=channels[-1], in_index=1, channels=8, num_classes=3),
        )
    )
    return model, make_samples(torch.randint(3, (2, 64, 64)))


def detector(backbone, channels):
    model = MODELS.build(
        dict(
            type='RetinaNet',
            backbone=backbone,
            neck=dict(type='FPN', in_channels=channels, out_channels=8, num_outs=3),
            bbox_head=dict(
                type='RetinaHead',
                num_classes=3,
                in_channels=8,
                feat_channels=8,
                stacked_convs=1,
                anchor_generator=dict(
                    type='AnchorGenerator', octave_base_scale=4, scales_per_octave=1, ratios=[1.0], strides=[8, 32, 64]
                ),
            ),
            train_cfg=dict(
                assigner=dict(type='MaxIoUAssigner', pos_iou_thr=0.5, neg_iou_thr=0.4), allowed_border=-1, pos_weight=-1
            ),
        )
    )
    from mmdet.structures import DetDataSample

    meta = dict(img_shape=(64, 64), pad_shape=(64, 64), batch_input_shape=(64, 64), scale_factor=(1.0, 1.0))
    boxes = InstanceData(bboxes=torch.tensor([[8.0, 8.0, 40.0, 48.0]]), labels=torch.tensor([1]))
    return model, [DetDataSample(gt_instances=boxes, metainfo=meta) for _ in range(2)]


@pytest.mark.parametrize('network', NETWORKS)
@pytest.mark.parametrize('attention', ['RA', 'SE', 'CBAM'])
@pytest.mark.parametrize(
    ('scope', 'build'),
    [
        ('mmpretrain', classifier),
        ('mmseg', segmentor),
        pytest.param(
            'mmdet', detector, marks=pytest.mark.skipif(bool(host_problem('mmdet', ops=True)), reason='mmdet')
        ),
    ],
)
def test_a_training_step(scope, build, attention, network):
    with DefaultScope.overwrite_default_scope(scope):
        model, samples = build(dict(type=f'mmrev.{attention}{network}', **NETWORKS[network]), CHANNELS[network])
        model.init_weights()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        own = {name: parameter for name, parameter in model.named_parameters() if '.addition.' in name}
        before = {name: parameter.clone() for name, parameter in own.items()}
        # two steps: hosts set the last batch norm to 0, so SE and CBAM get no gradient in the first one
        for _ in range(2):
            losses = model(torch.randn(2, 3, 64, 64), samples, mode='loss')
            optimizer.zero_grad()
            total = total_loss({name: sum(loss) if isinstance(loss, list) else loss for name, loss in losses.items()})
            total.backward()
            optimizer.step()
    assert total.isfinite()
    assert own and any(not torch.equal(parameter, before[name]) for name, parameter in own.items())
