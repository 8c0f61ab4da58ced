"""DeepLabv3+ (the baseline) with ResNet-18 on CamVid, 11 classes.

    python tools/train.py configs/combined/deeplabv3plus_r18_camvid.py

Not in the papers. RAN-n around it is ran_n_deeplabv3plus_r18_camvid.
"""
_base_ = ['../_base_/models/deeplabv3plus_r50.py', '../_base_/datasets/camvid.py', '../_base_/solvers/ranet.py',
          '../_base_/schedules/poly_4k.py', '../_base_/default_runtime.py']
norm_cfg = dict(type='BN', requires_grad=True)
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    backbone=dict(type='ResNet', depth=18, norm_cfg=norm_cfg, init_cfg=dict(checkpoint='torchvision://resnet18')),
    decode_head=dict(in_channels=512, channels=128, num_classes=_base_.num_classes, norm_cfg=norm_cfg,
                     c1_in_channels=64),
    auxiliary_head=dict(in_channels=256, channels=64, num_classes=_base_.num_classes, norm_cfg=norm_cfg))
optim_wrapper = dict(optimizer=dict(lr=1e-2))
