"""RAN-n of the demo, continued from the trained baseline on Digit Scenes.

    make demo

Not in the paper. The demo writes the start: the baseline's classifier is the original branch, and its negative is the
reverse branch.
"""
_base_ = './deeplabv2_continued_digit_scenes.py'
model = dict(decode_head=dict(type='mmrev.ReverseAttentionHead', mode='normalized'))
load_from = 'demo_output/work_dirs/ran_n_start.pth'
