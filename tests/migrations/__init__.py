"""Tests of the migrations themselves: the tree, each revision, and what a bad one may not do."""
