"""From a campus roster to enrolled kiosks. So far: the register of campuses."""
