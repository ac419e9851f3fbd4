"""What every floor uses: checked arguments, files, numerics. Private."""
