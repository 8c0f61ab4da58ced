"""PSP with ResNet34-dilated8 on ADE20K, 150 classes.

    python tools/train.py configs/scale_attention/psp_r34d8_ade20k.py

Paper: mIoU 36.43, aAcc 78.01 (table 3).
PSP has no auxiliary loss here, as in the paper.
"""
_base_ = './r34d8_ade20k.py'
model = dict(decode_head=dict(
    _delete_=True, type='PSPHead', in_channels=512, in_index=3, channels=512, pool_scales=(1, 2, 3, 6),
    dropout_ratio=0.1, num_classes=_base_.num_classes, norm_cfg=_base_.norm_cfg, align_corners=False))
