#!/usr/bin/env bash
# Installs the Debian packages that some tests need; without root it prints the line that does.
set -euo pipefail
cd "$(dirname "$0")"

# Cura's own definitions of printers, real files for the importer: its package would bring a desktop.
definitions=../build/cura
if [ ! -d "$definitions" ] && command -v apt-get > /dev/null; then
    folder=$(mktemp -d)
    as_us=()
    if [ "$(id -u)" -eq 0 ]; then
        apt-get update --quiet=2
        as_us=(-o APT::Sandbox::User=root)
    fi
    if (cd "$folder" && apt-get download --quiet=2 "${as_us[@]}" cura > /dev/null) &&
        dpkg-deb --extract "$folder"/cura_*.deb "$folder"; then
        mkdir -p "$definitions.new"
        cp -r "$folder"/usr/share/cura/resources/{definitions,quality} "$definitions.new"
        mv "$definitions.new" "$definitions"
    else
        echo "Cura's definitions could not be fetched: apt-get download cura" >&2
    fi
    rm -rf "$folder"
fi

mapfile -t wanted < <(grep -v '^#' system-packages.txt)
missing=()
for package in "${wanted[@]}"; do
    state=$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    exit 0
elif [ "$(id -u)" -eq 0 ]; then
    apt-get update --quiet=2
    DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends \
        "${missing[@]}"
else
    echo "sudo apt-get install --no-install-recommends ${missing[*]}"
fi
