"""Small trained models that ship with the package, the scripts that trained them, and what they were trained on."""
