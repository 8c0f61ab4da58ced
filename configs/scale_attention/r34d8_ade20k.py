"""ResNet34-dilated8, the baseline, ADE20K, 150 classes.

    python tools/train.py configs/scale_attention/r34d8_ade20k.py

Paper: mIoU 32.67, pixel accuracy 76.41 (table 3).
Assumed (the paper prints none of it): 80,000 iterations of 16 images at 512 x 512, learning rate 0.002. The paper's
ImageNet weights are of its deep stem; torchvision's, here, lack it and more (docs/scale_attention.md).
"""
_base_ = ['../_base_/models/r34d8.py', '../_base_/datasets/ade20k_512.py',
          '../_base_/schedules/scale_attention_80k.py', '../_base_/default_runtime.py']
model = dict(data_preprocessor=dict(size=_base_.crop_size), decode_head=dict(num_classes=_base_.num_classes))
