"""The district's certificate authorities: an offline root, one authority for each campus, one for the services."""
