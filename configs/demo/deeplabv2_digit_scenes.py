"""DeepLabv2-LargeFOV, the baseline of the demo: a narrow ResNet-18 without pretraining, Digit Scenes.

    make demo

Not in the paper. Two or three minutes on two CPU cores.
"""
_base_ = ['../_base_/models/deeplabv2_r18.py', '../_base_/datasets/digit_scenes.py',
          '../_base_/schedules/deeplabv2_demo.py', '../_base_/default_runtime.py']
model = dict(
    scales=(1.0, 0.5),
    data_preprocessor=dict(size=_base_.crop_size),
    backbone=dict(base_channels=32, init_cfg=dict(type='Kaiming', layer='Conv2d', _delete_=True)),
    decode_head=dict(in_channels=256, num_classes=_base_.num_classes, dilation=4))
