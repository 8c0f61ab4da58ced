# Section 4: learning rate 0.001, linear decay. Momentum and weight decay are those of the authors' code, whose own
# learning rate is another: 0.01, poly 0.9.
_base_ = './deeplabv2_20k.py'
max_iters = 40000
optim_wrapper = dict(_delete_=True, type='OptimWrapper',
                     optimizer=dict(type='SGD', lr=1e-3, momentum=0.9, weight_decay=5e-4))
param_scheduler = [dict(type='PolyLR', power=1, eta_min=0, begin=0, end=max_iters, by_epoch=False)]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters // 10)
default_hooks = dict(checkpoint=dict(interval=max_iters // 10))
