"""OutFormer: a larger network of FoMo-0D's kind; the user brings its checkpoint."""
