#!/bin/sh
# Builds the program inside the image's build stage: /context is the sources, /build a cache that stays from build to build.
#
# Cargo tells by the time of a file whether it has changed, and the times of a checkout say nothing: a clone made before the
# last build may hold other sources, and Cargo would hand out the old program. So the sources are copied into the cache
# where their contents differ, and only there.
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
