"""DeepLabv2-ASPP with ResNet-101 on PASCAL-Context, 59 classes.

    python tools/train.py configs/ran/deeplabv2_aspp_r101_pcontext.py

Paper: mIoU 45.7 (table 1).
The paper quotes the figure from DeepLabv2. That figure includes the CRF of DeepLabv2.
"""
_base_ = './deeplabv2_r101_pcontext.py'
model = dict(decode_head=dict(type='mmrev.ASPPV2Head'))
