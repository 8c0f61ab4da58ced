"""RANet (both maps, K = 8) with ResNet-101 on Cityscapes, 19 classes.

    python tools/train.py configs/ranet/ranet_r101_cityscapes.py

Paper: mIoU 81.9 (tables 1, 2); delta GFLOPs 212, delta params M 21, delta memory MB 1893, mIoU 81.9 (table 3); coarse
mIoU 77.3, fine mIoU 81.9 (table 4).
`--cfg-options model.test_cfg.output=coarse` scores the coarse maps of the same weights (table 4).
"""
_base_ = ['../_base_/models/fcn_r101d8.py', '../_base_/datasets/cityscapes.py', '../_base_/solvers/ranet.py',
          '../_base_/schedules/linear_40k.py', '../_base_/runtime_ranet.py']
model = dict(data_preprocessor=dict(size=_base_.crop_size),
             decode_head=dict(type='mmrev.RegionAttentionHead', num_classes=_base_.num_classes),
             test_cfg=dict(crop_size=_base_.crop_size, stride=(513, 513)))
