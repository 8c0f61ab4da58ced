"""RA-ResNet-18 with a softmax over the channels on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/ra_resnet18_act_softmax_in1k.py

Paper: top-1 69.9, top-5 89.2 (table 8).
"""
_base_ = './ra_resnet18_in1k.py'
model = dict(backbone=dict(activation='softmax'))
