"""RAN-s (equation 1): ResNet-101, PASCAL-Context, 59 classes, one scale, no augmentation.

    python tools/train.py configs/ran/ran_s_r101_lfov_pcontext.py

Paper: mIoU 45.6 (table 2, LargeFOV).
Assumed (the paper prints none of it): batch 10, crop 321 x 321, 20,000 iterations, frozen batch norm, as in
DeepLabv2. The paper starts from a COCO-trained DeepLabv2; without --cfg-options load_from=<file> (README,
Weights) this starts from ImageNet.
"""
_base_ = './ran_s_r101_lfov_aug_pcontext.py'
train_dataloader = dict(dataset=dict(pipeline=_base_.unaugmented_pipeline))
