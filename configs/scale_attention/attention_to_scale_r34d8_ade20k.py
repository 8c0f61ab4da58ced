"""Attention-to-Scale on ResNet34-dilated8, ADE20K, 150 classes.

    python tools/train.py configs/scale_attention/attention_to_scale_r34d8_ade20k.py

Paper: mIoU 35.11, pixel accuracy 76.82 (table 3).
Assumed (the paper prints none of it): 80,000 iterations of 16 images at 512 x 512, learning rate 0.002. The paper's
ImageNet weights are of its deep stem; torchvision's, here, lack it and more (docs/scale_attention.md).
"""
_base_ = './scale_attention_r34d8_ade20k.py'
model = dict(fusion=dict(multi_stage=False, diverse_dilations=False, conv_per_scale=False, recalibration=None))
