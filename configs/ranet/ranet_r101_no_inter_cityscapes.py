"""RANet without inter-region interaction: ResNet-101 on Cityscapes, 19 classes.

    python tools/train.py configs/ranet/ranet_r101_no_inter_cityscapes.py

Paper: mIoU 81.1 (section 5.1).
"""
_base_ = './ranet_r101_cityscapes.py'
model = dict(decode_head=dict(inter=False))
