#!/bin/sh
# Builds the program inside the image's build stage. /context holds the sources; /build is a cache that is kept between builds.
#
# Cargo decides by a file's time whether it has changed, but the times of a checkout say nothing. A clone that was made before
# the last build may hold other sources, and Cargo would return the old program. So this script copies a source file into the
# cache only if its contents differ.
set -eu

cd /context
find . -type f | while read -r file; do
    cmp -s "$file" "/build/$file" || install -D -m 644 "$file" "/build/$file"
done

cd /build
find . -path ./target -prune -o -type f -print | while read -r file; do
    [ -e "/context/$file" ] || rm "$file"
done

cargo build --locked --release --package causerie
install -D target/release/causerie /out/causerie
