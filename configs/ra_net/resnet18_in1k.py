"""ResNet-18, the baseline, on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/resnet18_in1k.py

Paper: top-1 70.2, top-5 89.4; 11.69 M parameters, 1.824 GFLOPs (tables 2, 6, 7 and 8).
Assumed (table 1 does not say): steps at 30, 60 and 90 epochs; no zero initialisation of the last batch norms.
"""
_base_ = ['mmpretrain::_base_/models/resnet18.py', '../_base_/datasets/imagenet.py',
          '../_base_/schedules/imagenet_step_100e.py', '../_base_/runtime_mmpretrain.py']
model = dict(backbone=dict(zero_init_residual=False))
