"""One-class SVM over scikit-learn's libsvm."""
