#!/usr/bin/env bash
# Installs the client plugins buildx and Compose v2 if they are missing. Debian 12 has neither. The next release has both, and
# its programs run on Debian 12 unchanged. The script needs apt-get, but no root.
set -euo pipefail

die() { printf 'plugins.sh: %s\n' "$*" >&2; exit 1; }

plugins=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

missing=()
docker buildx version >/dev/null 2>&1 || missing+=(docker-buildx)
docker compose version >/dev/null 2>&1 || missing+=(docker-compose)
[ ${#missing[@]} -gt 0 ] || exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# A separate apt configuration, so that the machine's own apt does not learn of the other release.
mkdir -p lists/partial cache/archives/partial
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" > sources.list
next=(
    -qq -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=
)
apt-get "${next[@]}" update || die "$mirror cannot be reached; DEBIAN_MIRROR names another one"
apt-get "${next[@]}" download "${missing[@]}" || die "${missing[*]} cannot be had from $mirror"

mkdir -p "$plugins"
for package in *.deb; do
    dpkg-deb -x "$package" unpacked
done
install unpacked/usr/libexec/docker/cli-plugins/* "$plugins"
docker buildx version || die "buildx does not run here"
docker compose version || die "Compose v2 does not run here"
