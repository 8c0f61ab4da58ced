"""DeepLabv2-LargeFOV, the baseline of the demo, on Digit Scenes.

    make demo

Not in the paper. The network is a narrow ResNet-18 of three stages and output stride 4, without pretraining.
"""
_base_ = ['../_base_/datasets/digit_scenes.py', '../_base_/schedules/iter_based.py', '../_base_/default_runtime.py']
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(type='SegDataPreProcessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
                           bgr_to_rgb=True, size=_base_.crop_size, pad_val=0, seg_pad_val=255),
    backbone=dict(type='ResNet', depth=18, base_channels=16, stem_channels=16, num_stages=3, strides=(1, 1, 1),
                  dilations=(1, 1, 2), out_indices=(0, 1, 2), norm_cfg=dict(type='BN', requires_grad=True),
                  init_cfg=dict(type='Kaiming', layer='Conv2d')),
    # With align_corners, images of an even size would be stretched by up to one cell of the feature map.
    decode_head=dict(type='mmrev.LargeFOVHead', in_channels=64, in_index=2, num_classes=_base_.num_classes, dilation=4,
                     align_corners=False),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
max_iters = 2400
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=4e-3, weight_decay=1e-4))
param_scheduler = [dict(type='OneCycleLR', eta_max=4e-3, total_steps=max_iters, pct_start=0.1,
                        anneal_strategy='linear', by_epoch=False)]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
default_hooks = dict(checkpoint=dict(interval=max_iters // 12))
