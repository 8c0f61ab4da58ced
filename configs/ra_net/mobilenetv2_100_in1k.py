"""MobileNetV2 1.0x, the baseline, on ImageNet-1K: 150 epochs of 256 images a step.

    python tools/train.py configs/ra_net/mobilenetv2_100_in1k.py

Paper: top-1 71.6, top-5 90.2; 3.505 M parameters, 327.5 MFLOPs (tables 3 and 10).
Assumed (table 1 does not say): a cosine schedule.
"""
_base_ = ['mmpretrain::_base_/models/mobilenet_v2_1x.py', '../_base_/datasets/imagenet.py',
          '../_base_/schedules/imagenet_cosine_150e.py', '../_base_/runtime_mmpretrain.py']
model = dict(neck=dict(type='mmrev.PoolDropout', p=0.2))
