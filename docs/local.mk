# docs/: what users and maintainers read.
dist_man_MANS += docs/heapd.8
