#!/usr/bin/env bash
# Makes replacements for the two official base images from Debian's packages and this machine's Rust toolchain. Use it if no
# image registry can be reached:
#
#     docker/bases.sh > .env        # and then `docker compose up` as usual
#
# The images are as trustworthy as this machine: its toolchain and its certificate authorities go into the build image.
set -euo pipefail

suite=bookworm
runtime=causerie-base/debian:$suite
build=causerie-base/rust:$suite

say() { printf '%s\n' "$*" >&2; }
die() { say "bases.sh: $*"; exit 1; }

docker info >/dev/null 2>&1 || die "no Docker engine answers: start it, or see \`docker info\`"
command -v mmdebstrap >/dev/null || die "mmdebstrap is missing: apt-get install mmdebstrap"
command -v rustc >/dev/null || die "there is no Rust toolchain on this machine to put into the build image"

# Writes a Debian system as a tar file to standard output. Its arguments are further options for mmdebstrap.
debian() {
    mmdebstrap --quiet --variant=minbase \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        "$@" "$suite" - ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"}
}

# An image gets its name only once it is complete.
if ! docker image inspect "$runtime" >/dev/null 2>&1; then
    say "making $runtime"
    id=$(debian | docker import --change 'CMD ["bash"]' -)
    docker tag "$id" "$runtime"
fi

if ! docker image inspect "$build" >/dev/null 2>&1; then
    say "making $build with $(rustc --version)"
    id=$(
        debian --include=gcc,libc6-dev,ca-certificates \
            --customize-hook="mkdir -p \"\$1/usr/local/rust\"" \
            --customize-hook="tar -C '$(rustc --print sysroot)' --exclude=./share -c . | tar -C \"\$1/usr/local/rust\" -x" \
            --customize-hook='copy-in /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs' |
            docker import --change 'ENV CARGO_HOME=/usr/local/cargo' \
                --change 'ENV PATH=/usr/local/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' -
    )
    docker tag "$id" "$build"
fi

printf 'RUST_IMAGE=%s\nRUNTIME_IMAGE=%s\n' "$build" "$runtime"
