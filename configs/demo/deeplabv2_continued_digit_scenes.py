"""DeepLabv2-LargeFOV of the demo, continued from the trained baseline on Digit Scenes.

    make demo

Not in the paper. RAN-n is compared with this: the same start, number of steps, seed and batches.
"""
_base_ = './deeplabv2_digit_scenes.py'
max_iters = 300
load_from = 'demo_output/work_dirs/deeplabv2_digit_scenes/iter_2400.pth'
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
param_scheduler = [dict(type='OneCycleLR', eta_max=1.5e-3, total_steps=max_iters, pct_start=0.1,
                        anneal_strategy='linear', by_epoch=False)]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
default_hooks = dict(checkpoint=dict(interval=max_iters // 12))
