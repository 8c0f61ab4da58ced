# Table 1 of RA-Net: a random resized crop and a horizontal flip. One process sees all 256 images of a step.
_base_ = 'mmpretrain::_base_/datasets/imagenet_bs32.py'
train_dataloader = dict(batch_size=256, num_workers=8, persistent_workers=True)
val_dataloader = dict(batch_size=256, num_workers=8, persistent_workers=True)
test_dataloader = val_dataloader
