"""DeepLabv2-LargeFOV, the baseline: ResNet-101, PASCAL-Context, 59 classes, one scale, no augmentation, 3x3 classifier.

    python tools/train.py configs/ran/deeplabv2_r101_dil0_pcontext.py

Paper: mIoU 41.6 (table 2, Dil=0).
Assumed (the paper prints none of it): batch 10, crop 321 x 321, 20,000 iterations, frozen batch norm, as in
DeepLabv2. The paper starts from a COCO-trained DeepLabv2; without --cfg-options load_from=<file> (README,
Weights) this starts from ImageNet.
"""
_base_ = './deeplabv2_r101_lfov_pcontext.py'
model = dict(decode_head=dict(dilation=1))
