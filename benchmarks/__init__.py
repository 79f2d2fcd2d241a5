"""Measurements that compare: ratios of rounds taken in turn, never bare times."""
