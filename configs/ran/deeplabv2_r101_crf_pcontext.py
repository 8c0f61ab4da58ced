"""DeepLabv2-LargeFOV, the baseline: ResNet-101, PASCAL-Context, 59 classes, dense CRF at test time.

    python tools/test.py configs/ran/deeplabv2_r101_crf_pcontext.py work_dirs/deeplabv2_r101_pcontext/iter_20000.pth

Paper: mIoU 44.4 (table 2, +CRF).
Assumed (the paper prints none of it): batch 10, crop 321 x 321, 20,000 iterations, frozen batch norm, as in
DeepLabv2. The paper starts from a COCO-trained DeepLabv2; without --cfg-options load_from=<file> (README,
Weights) this starts from ImageNet.
The weights are those of deeplabv2_r101_pcontext.py; the CRF is a step of testing. In this config a training validates
once, at its end: the CRF takes longer than the network.
"""
_base_ = './deeplabv2_r101_pcontext.py'
model = dict(test_cfg=dict(crf=_base_.crf))
train_cfg = dict(val_interval=_base_.max_iters)
