"""RA-MobileNetV2 1.0x (reverse attention) on ImageNet-1K: 150 epochs of 256 images a step.

    python tools/train.py configs/ra_net/ra_mobilenetv2_100_in1k.py

Paper: params M 3.505, MFLOPs 327.5, top-1 72.5, top-5 90.9 (table 3); top-1 72.5, top-5 90.9 (table 9); top-1 72.5
(table 10).
"""
_base_ = ['mmpretrain::_base_/models/mobilenet_v2_1x.py', '../_base_/datasets/imagenet.py',
          '../_base_/schedules/imagenet_cosine_150e.py', '../_base_/runtime_mmpretrain.py']
model = dict(backbone=dict(type='mmrev.RAMobileNetV2'), neck=dict(type='mmrev.PoolDropout', p=0.2))
custom_hooks = [*_base_.custom_hooks, dict(type='mmrev.TemperatureAnnealingHook')]
