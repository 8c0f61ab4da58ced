"""PSP on ResNet34-dilated8, ADE20K, 150 classes.

    python tools/train.py configs/scale_attention/psp_r34d8_ade20k.py

Paper: mIoU 36.43, pixel accuracy 78.01 (table 3).
Assumed (the paper prints none of it): 80,000 iterations of 16 images at 512 x 512, learning rate 0.002. The paper's
ImageNet weights are of its deep stem; torchvision's, here, lack it and more (docs/scale_attention.md).
No auxiliary loss, as in the paper.
"""
_base_ = './r34d8_ade20k.py'
model = dict(decode_head=dict(
    _delete_=True, type='PSPHead', in_channels=512, in_index=3, channels=512, pool_scales=(1, 2, 3, 6),
    dropout_ratio=0.1, num_classes=_base_.num_classes, norm_cfg=_base_.norm_cfg, align_corners=False))
