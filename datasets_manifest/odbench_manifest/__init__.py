"""Every suite's manifest as plain text; a package only so that it can be found."""
