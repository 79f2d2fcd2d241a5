"""Platforms behind one small protocol; knows neither the database nor the web framework."""
