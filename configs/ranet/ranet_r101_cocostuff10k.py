"""RANet, ResNet-101, COCO-Stuff 10k, 171 classes.

    python tools/train.py configs/ranet/ranet_r101_cocostuff10k.py

Paper: mIoU 40.7 (tables 4 and 6), of the coarse maps 37.9 (table 4).
Assumed (not in the paper): momentum, weight decay, scales of 0.7 to 2.1 and overlapping windows at test time, as in the
authors' code for Cityscapes; no auxiliary loss. Which of its figures are of six test scales (--tta), the paper does not
say.
The coarse maps are tested with the same weights: tools/test.py <config> <checkpoint> --cfg-options
model.test_cfg.output=coarse
"""
_base_ = ['../_base_/models/fcn_r101d8.py', '../_base_/datasets/cocostuff10k.py',
          '../_base_/schedules/ranet_60k.py', '../_base_/runtime_ranet.py']
model = dict(data_preprocessor=dict(size=_base_.crop_size),
             decode_head=dict(type='mmrev.RegionAttentionHead', num_classes=_base_.num_classes),
             test_cfg=dict(crop_size=_base_.crop_size, stride=(347, 347)))
