"""RAN-n (equation 2): ResNet-101, PASCAL-Context, 59 classes, dense CRF at test time.

    python tools/test.py configs/ran/ran_n_r101_crf_pcontext.py work_dirs/ran_n_r101_pcontext/iter_20000.pth

Paper: mIoU 48.1 (table 2, +CRF); aAcc 75.3, mAcc 57.2, mIoU 48.1 (table 1).
Assumed (the paper prints none of it): batch 10, crop 321 x 321, 20,000 iterations, frozen batch norm, as in
DeepLabv2. The paper starts from a COCO-trained DeepLabv2; without --cfg-options load_from=<file> (README,
Weights) this starts from ImageNet.
The weights are those of ran_n_r101_pcontext.py; the CRF is a step of testing. In this config a training validates
once, at its end: the CRF takes longer than the network.
Table 1 prints the baseline without the CRF (43.5) beside this row with it.
"""
_base_ = './ran_n_r101_pcontext.py'
model = dict(test_cfg=dict(crf=_base_.crf))
train_cfg = dict(val_interval=_base_.max_iters)
