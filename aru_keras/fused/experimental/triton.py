"""The sequence of an ARU in one kernel: a program runs all steps of one sequence (`docs/fused.md`).

These kernels have not run on a card yet. They are tested in Triton's interpreter.

Sequences of a batch are independent, so programs do not wait for each other. The units of a program
exchange h, in the backward pass da, through its own rows of global memory, behind one barrier a
step. The weights of the controllers stay on the chip. At each step a program reads W_hh, and the
states of the controllers, a block of units at a time.

A controller state has `G` entries and stands in a row of `WIDTH` columns, two of which serve its
weights: the product of [g_t; 1; a_{t+1}] with the weights is the argument of the next tanh, and the
product of [dz_{t+1}; dn_t; ds_t] with these rows is the cotangent of all weights. In memory a row
has `STRIDE` columns. Python's floats take the dtype of the tensor that they are combined with.
"""

import triton
import triton.language as tl

from aru_keras.activations import GAIN_FLOOR

_FLOOR = tl.constexpr(GAIN_FLOOR)


@triton.jit
def forward_kernel(
    u,  # (T, B, N)
    before,  # h before the first step, (B, N)
    kernel,  # W_hh, (N, N)
    into_z,  # rows W_gg transposed, b_g, w_ag: (WIDTH, WIDTH)
    into_readouts,  # rows [w_n, b_n] and [w_s, b_s]: (2, WIDTH)
    g,  # (T + 1, B, N, STRIDE) from g_0 on; without KEEP (2, …), which are written by turns
    a,  # (T, B, N); a, n and s are written with KEEP alone
    n,
    s,
    h,  # (T, B, N)
    count,
    batch,
    KEEP: tl.constexpr,
    N: tl.constexpr,
    G: tl.constexpr,
    STRIDE: tl.constexpr,
    WIDTH: tl.constexpr,
    BLOCK: tl.constexpr,
    DEPTH: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """All steps of the sequence `program_id(0)`; T is `count`."""
    row, size = tl.program_id(0) * N, batch * N
    column = tl.arange(0, WIDTH)
    weights = tl.load(into_z + column[:, None] * WIDTH + column[None, :])
    ones = tl.full((BLOCK,), 1, weights.dtype)
    for_n = tl.load(into_readouts + column, mask=column < G, other=0.0)
    for_s = tl.load(into_readouts + WIDTH + column, mask=column < G, other=0.0)
    bias_n, bias_s = tl.load(into_readouts + G), tl.load(into_readouts + WIDTH + G)
    u, h, a, n, s = u + row, h + row, a + row, n + row, s + row
    before += row
    source = g + row * STRIDE
    target = source + size * STRIDE
    for _ in range(count):
        for start in range(0, N, BLOCK):
            units = start + tl.arange(0, BLOCK)
            live = units < N
            at = units[:, None] * STRIDE + column[None, :]
            inside = live[:, None] & (column[None, :] < STRIDE)
            a_t = tl.load(u + units, mask=live, other=0.0)
            a_t += _product(before, kernel, units, N, DEPTH, BLOCK)
            rows = tl.load(source + at, mask=inside, other=0.0)
            rows = _with_two(rows, ones, a_t, column, G)
            g_t = 2 * tl.sigmoid(2 * tl.dot(rows, weights, input_precision=PRECISION)) - 1
            tl.store(target + at, g_t, mask=inside)
            n_t = _floored(tl.sum(g_t * for_n[None, :], 1) + bias_n)
            s_t = tl.sum(g_t * for_s[None, :], 1) + bias_s
            tl.store(h + units, _gamma(a_t, n_t, s_t), mask=live)
            if KEEP:
                tl.store(a + units, a_t, mask=live)
                tl.store(n + units, n_t, mask=live)
                tl.store(s + units, s_t, mask=live)
        tl.debug_barrier()
        before = h
        u, h = u + size, h + size
        if KEEP:
            a, n, s = a + size, n + size, s + size
            source, target = target, target + size * STRIDE
        else:
            source, target = target, source


@triton.jit
def backward_kernel(
    dh,  # from outside of the recurrence, (T, B, N); dh, a, n, s, g and da point to the last step
    dh_next,  # from the step after the last, (B, N)
    back,  # W_hh transposed, (N, N)
    matrix,  # rows W_gg, w_n, w_s: (WIDTH, WIDTH)
    into_a,  # w_ag, (WIDTH,)
    a,
    n,
    s,
    g,
    dg_last,  # the dg of the last state, (B, N, STRIDE); read with LAST, which needs T = 1
    dz,  # (2, B, N, STRIDE), written by turns; the first is that of the step after the last
    da,  # (T, B, N)
    sums,  # (B, WIDTH, WIDTH), added to
    count,
    batch,
    LAST: tl.constexpr,
    N: tl.constexpr,
    G: tl.constexpr,
    STRIDE: tl.constexpr,
    WIDTH: tl.constexpr,
    BLOCK: tl.constexpr,
    DEPTH: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """All steps of the sequence `program_id(0)`, from the last to the first."""
    row, size = tl.program_id(0) * N, batch * N
    column = tl.arange(0, WIDTH)
    square = column[:, None] * WIDTH + column[None, :]
    weights, for_a = tl.load(matrix + square), tl.load(into_a + column)
    ones = tl.full((BLOCK,), 1, weights.dtype)
    sums += tl.program_id(0) * WIDTH * WIDTH + square
    total = tl.load(sums)
    dh, a, n, s, da, dh_next = dh + row, a + row, n + row, s + row, da + row, dh_next + row
    g, dg_last, source = g + row * STRIDE, dg_last + row * STRIDE, dz + row * STRIDE
    target = source + size * STRIDE
    for step in range(count):
        # One sum for each step: a single sum of hundreds of thousands of terms would lose digits.
        product = tl.zeros((WIDTH, WIDTH), total.dtype)
        for start in range(0, N, BLOCK):
            units = start + tl.arange(0, BLOCK)
            live = units < N
            at = units[:, None] * STRIDE + column[None, :]
            inside = live[:, None] & (column[None, :] < STRIDE)
            dh_t = tl.load(dh + units, mask=live, other=0.0)
            if step == 0:
                dh_t += tl.load(dh_next + units, mask=live, other=0.0)
            else:
                dh_t += _product(da + size, back, units, N, DEPTH, BLOCK)
            in_a, in_n, in_s = _partials(
                tl.load(a + units, mask=live, other=0.0),
                tl.load(n + units, mask=live, other=1.0),
                tl.load(s + units, mask=live, other=0.0),
            )
            dz_next = tl.load(source + at, mask=inside, other=0.0)
            dz_next = _with_two(dz_next, dh_t * in_n, dh_t * in_s, column, G)
            g_t = tl.load(g + at, mask=inside, other=0.0)
            dg = tl.dot(dz_next, weights, input_precision=PRECISION)
            if LAST:
                dg += tl.load(dg_last + at, mask=inside, other=0.0)
            dz_t = dg * (1 - g_t * g_t)
            tl.store(target + at, dz_t, mask=inside)
            da_t = dh_t * in_a + tl.sum(dz_t * for_a[None, :], 1)
            tl.store(da + units, da_t, mask=live)
            a_next = tl.load(a + size + units, mask=live & (step > 0), other=0.0)
            rows = _with_two(g_t, ones, a_next, column, G)
            # Without a barrier the compiler holds registers for both products at once, and spills.
            tl.debug_barrier()
            product = tl.dot(tl.trans(dz_next), rows, product, input_precision=PRECISION)
        tl.debug_barrier()
        total += product
        source, target = target, source
        dh, a, n, s, da = dh - size, a - size, n - size, s - size, da - size
        g -= size * STRIDE
    tl.store(sums, total)


@triton.jit
def _product(vector, matrix, columns, N: tl.constexpr, DEPTH: tl.constexpr, BLOCK: tl.constexpr):
    """Entries `columns` of the product of N numbers with an (N, N) matrix, by `DEPTH` rows."""
    partial = tl.zeros((DEPTH, BLOCK), matrix.dtype.element_ty)
    for start in tl.range(0, N, DEPTH, num_stages=4):
        rows = start + tl.arange(0, DEPTH)
        inside = (rows[:, None] < N) & (columns[None, :] < N)
        tile = tl.load(matrix + rows[:, None] * N + columns[None, :], mask=inside, other=0.0)
        partial += tl.load(vector + rows, mask=rows < N, other=0.0)[:, None] * tile
    return tl.sum(partial, 0)


@triton.jit
def _with_two(rows, first, second, column, G: tl.constexpr):
    """`rows` with two more entries in columns G and G + 1, which are 0 or unused."""
    rows = tl.where(column[None, :] == G, first[:, None], rows)
    return tl.where(column[None, :] == G + 1, second[:, None], rows)


@triton.jit
def _floored(n):
    return tl.where(tl.abs(n) < _FLOOR, tl.where(n < 0, n * 0 - _FLOOR, n * 0 + _FLOOR), n)


@triton.jit
def _gamma(a, n, s):
    """`activations.gamma_same_shape` for |n| at its floor or above."""
    z = a * n
    softplus = tl.maximum(z, z * 0) + _log1p(tl.exp(-tl.abs(z)))
    return (1 - s) * softplus / n + s * tl.sigmoid(z)


@triton.jit
def _partials(a, n, s):
    """`activations.gamma_partials`."""
    z = a * n
    distance = tl.abs(z)
    tail = tl.sigmoid(-distance)
    log = _log1p(tl.exp(-distance))
    sigma, slope = tl.sigmoid(z), tail * (1 - tail)
    in_a = sigma * (1 - s) + s * n * slope
    in_n = s * a * slope - (1 - s) * (log + distance * tail) / (n * n)
    in_s = sigma - (tl.maximum(z, z * 0) + log) / n
    return in_a, in_n, in_s


@triton.jit
def _log1p(v):
    """log(1 + v) for v in [0, 1], as 2·artanh(v/(2 + v)): a card's log is inexact near 1."""
    terms: tl.constexpr = 17 if v.dtype == tl.float64 else 8
    ratio = v / (2 + v)
    square = ratio * ratio
    series = v * 0
    for index in tl.static_range(terms):
        series = series * square + 1 / (2 * (terms - 1 - index) + 1)
    return 2 * ratio * series
