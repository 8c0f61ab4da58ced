"""Three papers on CamVid, 11 classes: RAN-n on RA-ResNet-18, fused by scale attention.

    python tools/train.py configs/combined/ran_n_scale_attention_ra_r18_camvid.py

Not in the papers. The backbone, the head and the fusion are one line each.
"""
_base_ = '../ran/deeplabv2_r18_camvid.py'
model = dict(
    backbone=dict(type='mmrev.RAResNet'),
    decode_head=dict(type='mmrev.ReverseAttentionHead', mode='normalized'),
    scales=(1.0, 0.5),
    fusion=dict(_delete_=True, type='mmrev.ScaleAttentionHead', in_channels=[64, 128, 256, 512], dilations=(12, 2),
                num_classes=_base_.num_classes, norm_cfg=dict(type='BN', requires_grad=True), align_corners=True))
