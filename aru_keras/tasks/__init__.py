"""Tasks: sequences in splits, with their targets. `from_arrays` makes one of sequences of your own.

In a task of the paper, a network reads an image pixel by pixel and names its class at the end:

- `digits`: the 8×8 digits that come with the package, permuted; T = 64.
- `sdigits` and `rotated-digits`: the digits row by row, and turned by 45°; T = 64.
- `smnist`: MNIST row by row; T = 784.
- `psmnist`: MNIST permuted; T = 784.
- `rotated-psmnist`: the MNIST test images turned by 45° and permuted; T = 784.
- `scifar10`: CIFAR-10 in grey scale, row by row; T = 1024.
- `scifar10-conv`: whole colour images of CIFAR-10 for a convolutional encoder, whose 8×8 map has
  T = 64 positions.

The splits are fixed and do not depend on a seed. Of MNIST and CIFAR-10 the last 10,000 training
images are the validation split. The 1,797 digits are split into 1,257, 180 and 360 images,
stratified by class and spread evenly over the file. The rotated tasks divide the test images into
two halves (4,999 images each of MNIST, 178 of the digits), with the same number of images of every
digit in both; where a digit has an odd number of images, its last one is left out. Their
validation split is that of the plain task, rotated likewise.

The digits are the test set of "Optical Recognition of Handwritten Digits" (E. Alpaydin,
C. Kaynak, UCI Machine Learning Repository, CC BY 4.0), in the copy that scikit-learn carries.

Example::

    task = load_task("digits")
    model.fit(task.batches("train"), validation_data=task.batches("validation"), shuffle=False)
"""

from aru_keras._util.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
