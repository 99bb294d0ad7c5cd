"""Tools for agents over the Model Context Protocol: read-only, in one folder."""
