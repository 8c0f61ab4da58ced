"""UPerNet (the baseline) with ResNet-18 on CamVid, 11 classes.

    python tools/train.py configs/combined/upernet_r18_camvid.py

Not in the papers. RAN-n around it is ran_n_upernet_r18_camvid.
"""
_base_ = ['../_base_/models/upernet_r50.py', '../_base_/datasets/camvid.py', '../_base_/solvers/ranet.py',
          '../_base_/schedules/poly_4k.py', '../_base_/default_runtime.py']
norm_cfg = dict(type='BN', requires_grad=True)
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    backbone=dict(depth=18, norm_cfg=norm_cfg, init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet18')),
    decode_head=dict(in_channels=[64, 128, 256, 512], channels=128, num_classes=_base_.num_classes, norm_cfg=norm_cfg),
    auxiliary_head=dict(in_channels=256, channels=64, num_classes=_base_.num_classes, norm_cfg=norm_cfg))
optim_wrapper = dict(optimizer=dict(lr=1e-2))
