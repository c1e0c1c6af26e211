"""Payments worker."""
