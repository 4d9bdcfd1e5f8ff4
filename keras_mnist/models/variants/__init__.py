"""One file for each study; each network is one decorated function that writes its graph out."""
