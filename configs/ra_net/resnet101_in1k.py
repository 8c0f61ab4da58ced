"""ResNet-101, the baseline, on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/resnet101_in1k.py

Paper: top-1 77.4, top-5 93.7; 44.55 M parameters, 7.866 GFLOPs (table 2).
Assumed (table 1 does not say): steps at 30, 60 and 90 epochs; no zero initialisation of the last batch norms.
"""
_base_ = ['mmpretrain::_base_/models/resnet101.py', '../_base_/datasets/imagenet.py',
          '../_base_/schedules/imagenet_step_100e.py', '../_base_/runtime_mmpretrain.py']
model = dict(backbone=dict(zero_init_residual=False),
             neck=dict(type='mmrev.PoolDropout', p=0.2))
