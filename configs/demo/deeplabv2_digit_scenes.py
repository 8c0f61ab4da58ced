"""DeepLabv2-LargeFOV, the baseline of the demo: three stages of a narrow ResNet-18, no pretraining, Digit Scenes.

    make demo

Not in the paper. A minute or two on two CPU cores.
"""
_base_ = ['../_base_/models/deeplabv2_r18.py', '../_base_/datasets/digit_scenes.py',
          '../_base_/schedules/adamw_demo.py', '../_base_/default_runtime.py']
model = dict(
    scales=(1.0, ),
    data_preprocessor=dict(size=_base_.crop_size),
    backbone=dict(base_channels=16, stem_channels=16, num_stages=3, strides=(1, 2, 1), dilations=(1, 1, 2),
                  out_indices=(0, 1, 2),
                  init_cfg=dict(type='Kaiming', layer='Conv2d', _delete_=True)),
    decode_head=dict(in_channels=64, in_index=2, num_classes=_base_.num_classes, dilation=4))
