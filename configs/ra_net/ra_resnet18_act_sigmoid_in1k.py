"""RA-ResNet-18 with a sigmoid on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/ra_resnet18_act_sigmoid_in1k.py

Paper: top-1 70.9, top-5 89.8 (table 8).
"""
_base_ = './ra_resnet18_in1k.py'
model = dict(backbone=dict(activation='sigmoid'))
