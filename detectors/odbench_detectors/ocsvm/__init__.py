"""One-class SVM, computed by scikit-learn's libsvm."""
