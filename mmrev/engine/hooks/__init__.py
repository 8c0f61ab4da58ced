"""Hooks for mmengine's Runner."""
