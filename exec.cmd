@rem Windows has no exec: the scripts in package.json mean this one there.
@%*
