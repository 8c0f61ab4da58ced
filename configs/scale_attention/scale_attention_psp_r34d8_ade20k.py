"""Scale attention and PSP on ResNet34-dilated8, ADE20K, 150 classes.

    python tools/train.py configs/scale_attention/scale_attention_psp_r34d8_ade20k.py

Paper: mIoU 38.21, pixel accuracy 79.29 (table 3).
Assumed (the paper prints none of it): 80,000 iterations of 16 images at 512 x 512, learning rate 0.002. The paper's
ImageNet weights are of its deep stem; torchvision's, here, lack it and more (docs/scale_attention.md).
No auxiliary loss, as in the paper.
"""
_base_ = './psp_r34d8_ade20k.py'
model = dict(
    scales=(1.0, 0.5),
    fusion=dict(type='mmrev.ScaleAttentionHead', in_channels=[64, 128, 256, 512], num_classes=_base_.num_classes,
                dilations=(12, 2), norm_cfg=_base_.norm_cfg))
