"""ResNet-101 (the baseline) on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/resnet101_in1k.py

Paper: params M 44.55, GFLOPs 7.866, top-1 77.4, top-5 93.7 (table 2).
"""
_base_ = ['mmpretrain::_base_/models/resnet101.py', '../_base_/datasets/imagenet.py',
          'mmpretrain::_base_/schedules/imagenet_bs256.py', '../_base_/runtime_mmpretrain.py']
model = dict(backbone=dict(zero_init_residual=False),
             neck=dict(type='mmrev.PoolDropout', p=0.2))
