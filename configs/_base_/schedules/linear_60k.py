_base_ = './iter_based.py'
max_iters = 60000
param_scheduler = [dict(type='PolyLR', power=1, eta_min=0, begin=0, end=max_iters, by_epoch=False)]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters // 10)
default_hooks = dict(checkpoint=dict(interval=max_iters // 10))
