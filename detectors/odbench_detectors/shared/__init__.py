"""Code that several detectors of the zoo use."""
