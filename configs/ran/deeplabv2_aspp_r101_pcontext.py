"""DeepLabv2-ASPP: ResNet-101, PASCAL-Context, 59 classes.

    python tools/train.py configs/ran/deeplabv2_aspp_r101_pcontext.py

Paper: mIoU 45.7 (table 1, quoted from DeepLabv2, whose figure includes its CRF).
Assumed (the paper prints none of it): batch 10, crop 321 x 321, 20,000 iterations, frozen batch norm, as in
DeepLabv2. The paper starts from a COCO-trained DeepLabv2; without --cfg-options load_from=<file> (README,
Weights) this starts from ImageNet.
"""
_base_ = './deeplabv2_r101_pcontext.py'
model = dict(decode_head=dict(type='mmrev.ASPPV2Head'))
