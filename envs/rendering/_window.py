"""A window that shows frames."""

import numpy as np

DPI = 100


class Window:
    """A window of matplotlib's toolkit. If its user closes it, it stays closed."""

    def __init__(self, width: int, height: int):
        import matplotlib.pyplot as plt
        from matplotlib.backends import BackendFilter, backend_registry

        backend = plt.get_backend().lower()
        if backend not in backend_registry.list_builtin(BackendFilter.INTERACTIVE):
            raise RuntimeError(f"matplotlib's backend here, {backend!r}, has no windows")
        self._plt = plt
        with plt.rc_context({"toolbar": "None"}):
            self.figure = plt.figure(figsize=(width / DPI, height / DPI), dpi=DPI)
        axes = self.figure.add_axes([0, 0, 1, 1])
        axes.set_axis_off()
        blank = np.full((height, width, 3), 255, "uint8")
        self._image = axes.imshow(blank, aspect="auto")
        self.figure.canvas.manager.show()

    def show(self, frame: np.ndarray) -> None:
        """Show a frame, (H, W, 3) uint8."""
        if not self._plt.fignum_exists(self.figure.number):
            return
        self._image.set_data(frame)
        self.figure.canvas.draw()
        self.figure.canvas.flush_events()

    def close(self) -> None:
        """Close the window."""
        self._plt.close(self.figure)
