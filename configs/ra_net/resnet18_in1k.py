"""ResNet-18 (the baseline) on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/resnet18_in1k.py

Paper: params M 11.69, GFLOPs 1.824, top-1 70.2, top-5 89.4 (table 2); top-1 70.2, top-5 89.4 (tables 6, 7, 8).
"""
_base_ = ['mmpretrain::_base_/models/resnet18.py', '../_base_/datasets/imagenet.py',
          'mmpretrain::_base_/schedules/imagenet_bs256.py', '../_base_/runtime_mmpretrain.py']
model = dict(backbone=dict(zero_init_residual=False))
