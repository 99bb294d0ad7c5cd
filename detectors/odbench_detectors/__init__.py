"""The zoo: odbench's own detectors, registered like everybody else's."""
