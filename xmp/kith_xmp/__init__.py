"""People in XMP sidecars: read, merged and written without harm to anything else in the file."""
