"""RAN-s (equation 1) with ResNet-101 on PASCAL-Context, 59 classes, with a dense CRF at test time.

    python tools/test.py configs/ran/ran_s_r101_crf_pcontext.py work_dirs/ran_s_r101_pcontext/iter_20000.pth

Paper: aAcc 75.3, mAcc 57.1, mIoU 48.0 (table 1); mIoU 48.0 (table 2 crf).
The weights come from ran_s_r101_pcontext.py, and the CRF runs at test time only. A training with this config validates
once, at its end, because the CRF takes longer than the network.
Table 1 prints the baseline without the CRF (43.5) beside this row with the CRF.
"""
_base_ = './deeplabv2_r101_pcontext.py'
model = dict(decode_head=dict(type='mmrev.ReverseAttentionHead', mode='simple'), test_cfg=dict(crf=_base_.crf))
train_cfg = dict(val_interval=_base_.max_iters)
