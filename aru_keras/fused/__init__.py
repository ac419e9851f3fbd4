"""A whole sequence under one hand-derived gradient.

`step` is the contract, `derivation` has the equations of the ARU and of RNN+γ, `plan` says which
residuals are kept, and `jax`, `tensorflow` and `torch` are three ways to loop over the steps.
"""
