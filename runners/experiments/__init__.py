"""The experiments of the paper: networks are trained and measured, and compared with its claims."""
