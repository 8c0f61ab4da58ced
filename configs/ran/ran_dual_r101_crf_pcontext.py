"""Dual-Branch RAN (no attention) with ResNet-101 on PASCAL-Context, 59 classes, with a dense CRF at test time.

    python tools/test.py configs/ran/ran_dual_r101_crf_pcontext.py work_dirs/ran_dual_r101_pcontext/iter_20000.pth

Paper: mIoU 46.0 (table 2 crf).
The weights come from ran_dual_r101_pcontext.py, and the CRF runs at test time only. A training with this config
validates once, at its end, because the CRF takes longer than the network.
"""
_base_ = './deeplabv2_r101_pcontext.py'
model = dict(decode_head=dict(type='mmrev.ReverseAttentionHead', mode='dual'), test_cfg=dict(crf=_base_.crf))
train_cfg = dict(val_interval=_base_.max_iters)
