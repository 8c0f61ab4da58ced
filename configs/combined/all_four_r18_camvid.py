"""All four papers on CamVid, 11 classes: RAN around RANet on RA-ResNet-18, fused by scale attention.

    python tools/train.py configs/combined/all_four_r18_camvid.py

Not in the papers. The reverse branch is beside the last classifier of RANet.
"""
_base_ = '../ranet/fcn_r18_camvid.py'
model = dict(
    type='mmrev.MultiScaleEncoderDecoder',
    backbone=dict(type='mmrev.RAResNet'),
    decode_head=dict(type='mmrev.ReverseAttentionWrapper', head='mmrev.RegionAttentionHead', mode='normalized'),
    scales=(1.0, 0.5),
    fusion=dict(type='mmrev.ScaleAttentionHead', in_channels=[64, 128, 256, 512], dilations=(12, 2),
                num_classes=_base_.num_classes, norm_cfg=_base_.norm_cfg, align_corners=True))
