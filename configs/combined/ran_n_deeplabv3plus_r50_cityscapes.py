"""RAN-n around DeepLabv3+ with ResNet-50 on Cityscapes, 19 classes.

    python tools/train.py configs/combined/ran_n_deeplabv3plus_r50_cityscapes.py

Not in the papers. To continue from a checkpoint of mmsegmentation's model zoo:
--cfg-options load_from=<file>.
"""
_base_ = ['../_base_/models/deeplabv3plus_r50.py', '../_base_/datasets/cityscapes.py', '../_base_/solvers/ranet.py',
          '../_base_/schedules/poly_80k.py', '../_base_/default_runtime.py']
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    decode_head=dict(type='mmrev.ReverseAttentionWrapper', head='DepthwiseSeparableASPPHead', mode='normalized',
                     num_classes=_base_.num_classes),
    auxiliary_head=dict(num_classes=_base_.num_classes),
    test_cfg=dict(mode='slide', crop_size=_base_.crop_size, stride=(513, 513)))
optim_wrapper = dict(optimizer=dict(lr=1e-2))
