"""The experiments of the paper: networks trained, measured, and held against what it says."""
