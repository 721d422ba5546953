#!/bin/sh
# Lays out the whole root folder of the image: make-root.sh FOLDER EXECUTABLE
# The executable, the five files of glibc that it needs, and the two folders that it writes to. Nothing else is there.
set -eu
root=$1
executable=$2

install -d -m 0755 "$root"
install -m 0755 "$executable" "$root/openclaw"
libraries=$(ldd "$executable" | grep -o '/[^ )]*\.so[^ )]*')
[ "$(echo "$libraries" | wc -l)" -eq 5 ] || { echo "Expected five libraries, found: $libraries" >&2; exit 1; }
for library in $libraries; do
  install -D -m 0755 "$library" "$root$library"
done
install -d -m 0700 "$root/data"
install -d -m 1777 "$root/tmp"
