"""MobileNetV2 1.0x (the baseline) on ImageNet-1K: 150 epochs of 256 images a step.

    python tools/train.py configs/ra_net/mobilenetv2_100_in1k.py

Paper: params M 3.505, MFLOPs 327.5, top-1 71.6, top-5 90.2 (table 3); top-1 71.6 (table 10).
"""
_base_ = ['mmpretrain::_base_/models/mobilenet_v2_1x.py', '../_base_/datasets/imagenet.py',
          '../_base_/schedules/imagenet_cosine_150e.py', '../_base_/runtime_mmpretrain.py']
model = dict(neck=dict(type='mmrev.PoolDropout', p=0.2))
