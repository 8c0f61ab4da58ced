"""DeepLabv2-LargeFOV, the baseline: ResNet-101, PASCAL-Context, 59 classes.

    python tools/train.py configs/ran/deeplabv2_r101_pcontext.py

Paper: mIoU 43.5 (table 2, +MSC; table 1).
Assumed (the paper prints none of it): batch 10, crop 321 x 321, 20,000 iterations, frozen batch norm, as in
DeepLabv2. The paper starts from a COCO-trained DeepLabv2; without --cfg-options load_from=<file> (README,
Weights) this starts from ImageNet.
Table 1 prints this row's 43.5, without the CRF, beside RAN's figures with it.
"""
_base_ = ['../_base_/models/deeplabv2_r101.py',
          '../_base_/datasets/pcontext59.py', '../_base_/schedules/deeplabv2_20k.py', '../_base_/default_runtime.py']
model = dict(data_preprocessor=dict(size=_base_.crop_size),
             decode_head=dict(num_classes=_base_.num_classes))
