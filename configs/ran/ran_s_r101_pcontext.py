"""RAN-s (equation 1): ResNet-101, PASCAL-Context, 59 classes.

    python tools/train.py configs/ran/ran_s_r101_pcontext.py

Paper: mIoU 47.2 (table 2, +MSC).
Assumed (the paper prints none of it): batch 10, crop 321 x 321, 20,000 iterations, frozen batch norm, as in
DeepLabv2. The paper starts from a COCO-trained DeepLabv2; without --cfg-options load_from=<file> (README,
Weights) this starts from ImageNet.
"""
_base_ = './deeplabv2_r101_pcontext.py'
model = dict(decode_head=dict(type='mmrev.ReverseAttentionHead', mode='simple'))
