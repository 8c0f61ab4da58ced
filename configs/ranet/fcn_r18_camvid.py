"""FCN, the baseline: ResNet-18, CamVid, 11 classes.

    python tools/train.py configs/ranet/fcn_r18_camvid.py

Paper: no figure.
Not in the paper: a small data set and backbone to try RANet on. Chosen here: batch 10, crop 321 x 321, 4,000
iterations, learning rate 0.01, ImageNet weights.
"""
_base_ = ['../_base_/models/fcn_r101d8.py', '../_base_/datasets/camvid.py',
          '../_base_/schedules/ranet_camvid.py', '../_base_/runtime_ranet.py']
norm_cfg = dict(type='BN', requires_grad=True)
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    backbone=dict(type='ResNet', depth=18, norm_cfg=norm_cfg, init_cfg=dict(checkpoint='torchvision://resnet18')),
    decode_head=dict(in_channels=512, channels=128, num_classes=_base_.num_classes, norm_cfg=norm_cfg),
    test_cfg=dict(mode='whole'))
train_dataloader = dict(dataset=dict(
    pipeline=[*_base_.load, *_base_.augment, dict(type='mmrev.BoundaryLabels'), *_base_.pack]))
