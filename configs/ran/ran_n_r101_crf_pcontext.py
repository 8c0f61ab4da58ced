"""RAN-n (equation 2) with ResNet-101 on PASCAL-Context, 59 classes, with a dense CRF at test time.

    python tools/test.py configs/ran/ran_n_r101_crf_pcontext.py work_dirs/ran_n_r101_pcontext/iter_20000.pth

Paper: aAcc 75.3, mAcc 57.2, mIoU 48.1 (table 1); mIoU 48.1 (table 2 crf).
The weights come from ran_n_r101_pcontext.py, and the CRF runs at test time only. A training with this config validates
once, at its end, because the CRF takes longer than the network.
Table 1 prints the baseline without the CRF (43.5) beside this row with the CRF.
"""
_base_ = './deeplabv2_r101_pcontext.py'
model = dict(decode_head=dict(type='mmrev.ReverseAttentionHead', mode='normalized'), test_cfg=dict(crf=_base_.crf))
train_cfg = dict(val_interval=_base_.max_iters)
