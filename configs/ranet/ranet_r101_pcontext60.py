"""RANet with ResNet-101 on PASCAL-Context, 59 classes and background.

    python tools/train.py configs/ranet/ranet_r101_pcontext60.py

Paper: coarse mIoU 51.2, fine mIoU 54.9 (table 4); mIoU 54.9 (table 6).
`--cfg-options model.test_cfg.output=coarse` scores the coarse maps of the same weights (table 4).
"""
_base_ = ['../_base_/models/fcn_r101d8.py', '../_base_/datasets/pcontext60.py', '../_base_/solvers/ranet.py',
          '../_base_/schedules/linear_60k.py', '../_base_/runtime_ranet.py']
model = dict(data_preprocessor=dict(size=_base_.crop_size),
             decode_head=dict(type='mmrev.RegionAttentionHead', num_classes=_base_.num_classes),
             test_cfg=dict(crop_size=_base_.crop_size, stride=(347, 347)))
