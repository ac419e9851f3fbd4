"""Transformations of images: rotation, pooling and grey scale."""

import numpy as np

GREY = np.array([0.299, 0.587, 0.114], "float32")
"""The weights of red, green and blue (ITU-R BT.601)."""


def rotated(images: np.ndarray, degrees: float) -> np.ndarray:
    """Images (K, H, W) uint8 rotated counter-clockwise, as seen with row 0 at the top.

    The interpolation is bilinear, pixels outside of the image are 0, and the result, of the same
    shape, is rounded to whole grey levels.
    """
    from scipy import ndimage

    turned = ndimage.rotate(
        images.astype("float32"), degrees, axes=(2, 1), reshape=False, order=1, prefilter=False
    )
    return np.clip(np.rint(turned), 0, 255).astype("uint8")


def pooled(images: np.ndarray, factor: int) -> np.ndarray:
    """Images (K, H, W, ...) uint8 averaged over squares of `factor`: (K, H/k, W/k, ...) float32."""
    if factor == 1:
        return images.astype("float32")
    count, height, width, *channels = images.shape
    squares = images.reshape(count, height // factor, factor, width // factor, factor, *channels)
    # Sums of whole numbers are exact, so an image gives the same values alone and in a batch.
    return squares.sum((2, 4), dtype="int64").astype("float32") / np.float32(factor**2)


def grey(images: np.ndarray) -> np.ndarray:
    """Images (K, H, W, 3) float32 in grey scale, (K, H, W): 0.299 R + 0.587 G + 0.114 B."""
    red, green, blue = GREY
    return red * images[..., 0] + green * images[..., 1] + blue * images[..., 2]
