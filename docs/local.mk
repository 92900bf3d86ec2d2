# docs/: what users and maintainers read.
