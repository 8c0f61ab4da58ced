"""ResNet-50 (the baseline) on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/resnet50_in1k.py

Paper: params M 25.56, GFLOPs 4.134, top-1 76.2, top-5 93.0 (table 2); top-1 76.2 (table 10).
"""
_base_ = ['mmpretrain::_base_/models/resnet50.py', '../_base_/datasets/imagenet.py',
          'mmpretrain::_base_/schedules/imagenet_bs256.py', '../_base_/runtime_mmpretrain.py']
model = dict(backbone=dict(zero_init_residual=False),
             neck=dict(type='mmrev.PoolDropout', p=0.2))
