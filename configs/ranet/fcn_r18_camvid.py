"""FCN (the baseline) with ResNet-18 on CamVid, 11 classes.

    python tools/train.py configs/ranet/fcn_r18_camvid.py

Paper: no figure.
We chose this small data set and this small backbone to try the method on.
"""
_base_ = ['../_base_/models/fcn_r101d8.py', '../_base_/datasets/camvid.py', '../_base_/solvers/ranet.py',
          '../_base_/schedules/linear_4k.py', '../_base_/runtime_ranet.py']
norm_cfg = dict(type='BN', requires_grad=True)
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    backbone=dict(type='ResNet', depth=18, norm_cfg=norm_cfg, init_cfg=dict(checkpoint='torchvision://resnet18')),
    decode_head=dict(in_channels=512, channels=128, num_classes=_base_.num_classes, norm_cfg=norm_cfg),
    test_cfg=dict(mode='whole'))
optim_wrapper = dict(optimizer=dict(lr=1e-2))
train_dataloader = dict(dataset=dict(
    pipeline=[*_base_.load, *_base_.augment, dict(type='mmrev.BoundaryLabels'), *_base_.pack]))
