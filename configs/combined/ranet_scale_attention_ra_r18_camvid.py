"""Three papers on CamVid, 11 classes: RANet on RA-ResNet-18, fused by scale attention.

    python tools/train.py configs/combined/ranet_scale_attention_ra_r18_camvid.py

Not in the papers. RANet has K = 8 representatives of a region.
"""
_base_ = '../ranet/fcn_r18_camvid.py'
model = dict(
    type='mmrev.MultiScaleEncoderDecoder',
    backbone=dict(type='mmrev.RAResNet'),
    decode_head=dict(type='mmrev.RegionAttentionHead'),
    scales=(1.0, 0.5),
    fusion=dict(type='mmrev.ScaleAttentionHead', in_channels=[64, 128, 256, 512], dilations=(12, 2),
                num_classes=_base_.num_classes, norm_cfg=_base_.norm_cfg, align_corners=True))
