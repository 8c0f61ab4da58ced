"""RANet without intra-region communication: ResNet-101 on Cityscapes, 19 classes.

    python tools/train.py configs/ranet/ranet_r101_no_intra_cityscapes.py

Paper: mIoU 79.2 (section 5.1).
"""
_base_ = './ranet_r101_cityscapes.py'
model = dict(decode_head=dict(intra=False))
