"""Changes built networks: gives their residual blocks reverse attention, SE or CBAM."""
