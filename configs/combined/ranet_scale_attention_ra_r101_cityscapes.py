"""Three papers on Cityscapes, 19 classes: RANet on RA-ResNet-101, fused by scale attention.

    python tools/train.py configs/combined/ranet_scale_attention_ra_r101_cityscapes.py

Not in the papers. RANet has K = 8 representatives of a region.
"""
_base_ = ['../_base_/models/fcn_r101d8.py', '../_base_/datasets/cityscapes.py', '../_base_/solvers/ranet.py',
          '../_base_/schedules/linear_40k.py', '../_base_/runtime_ranet.py']
model = dict(
    type='mmrev.MultiScaleEncoderDecoder',
    data_preprocessor=dict(size=_base_.crop_size),
    backbone=dict(type='mmrev.RAResNet', deep_stem=True),
    decode_head=dict(type='mmrev.RegionAttentionHead', num_classes=_base_.num_classes),
    scales=(1.0, 0.5),
    fusion=dict(type='mmrev.ScaleAttentionHead', in_channels=[256, 512, 1024, 2048], dilations=(12, 2),
                num_classes=_base_.num_classes, norm_cfg=_base_.norm_cfg, align_corners=True),
    test_cfg=dict(crop_size=_base_.crop_size, stride=(513, 513)))
