"""SE-ResNet-18 (squeeze-and-excitation) on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/se_resnet18_in1k.py

Paper: top-1 71.0, top-5 90.0; 11.78 M parameters, 1.824 GFLOPs (table 2).
Assumed (table 1 does not say): steps at 30, 60 and 90 epochs; no zero initialisation of the last batch norms.
"""
_base_ = './resnet18_in1k.py'
model = dict(backbone=dict(type='mmrev.SEResNet'))
