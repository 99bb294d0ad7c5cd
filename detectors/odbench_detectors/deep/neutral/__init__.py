"""NeuTraL AD: learnt transformations, contrasted."""
