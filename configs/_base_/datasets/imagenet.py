# Table 1 of RA-Net: random (resized) crop and horizontal flip, 256 images a step, here of one process.
_base_ = 'mmpretrain::_base_/datasets/imagenet_bs32.py'
train_dataloader = dict(batch_size=256, num_workers=8, persistent_workers=True)
val_dataloader = dict(batch_size=256, num_workers=8, persistent_workers=True)
test_dataloader = val_dataloader
