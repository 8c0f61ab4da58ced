"""FCN, the baseline, ResNet-101, Cityscapes, 19 classes.

    python tools/train.py configs/ranet/fcn_r101_cityscapes.py

Paper: mIoU 77.5 (section 5.1).
Assumed (not in the paper): momentum, weight decay, scales of 0.7 to 2.1 and overlapping windows at test time, as in the
authors' code; no auxiliary loss. Which of its figures are of six test scales (--tta), the paper does not say.
"""
_base_ = ['../_base_/models/fcn_r101d8.py', '../_base_/datasets/cityscapes.py',
          '../_base_/schedules/ranet_40k.py', '../_base_/runtime_ranet.py']
model = dict(data_preprocessor=dict(size=_base_.crop_size), decode_head=dict(num_classes=_base_.num_classes),
             test_cfg=dict(crop_size=_base_.crop_size, stride=(513, 513)))
