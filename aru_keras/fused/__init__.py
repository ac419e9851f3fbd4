"""Whole sequences under one hand-derived gradient: the derivation, and one file a backend."""
