"""The catalogue: all that Kith knows, in one SQLite file. The only package that says SQL."""

from kith.catalogue.database import Catalogue, open_catalogue, set_aside

__all__ = ["Catalogue", "open_catalogue", "set_aside"]
