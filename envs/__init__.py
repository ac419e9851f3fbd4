"""The sequential tasks as step-wise Gymnasium environments; none is registered yet."""
