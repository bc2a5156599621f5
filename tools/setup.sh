# Sourced by demo.sh and test.sh: installs what this checkout needs, says so, stops with one sentence where it cannot.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

stop() { echo "metallb: $*" >&2; exit 1; }
as_root() { [ "$(id -u)" = 0 ]; }

# npm packages, exactly those of the lock file; again only when it changed.
install_packages() {
  command -v npm >/dev/null || stop "npm is missing: install Node.js with npm (https://nodejs.org) and run this again"
  local wanted have
  wanted=$(cksum <package-lock.json)
  have=$(cat node_modules/.installed-from 2>/dev/null || true)
  if [ "$wanted" != "$have" ]; then
    echo "metallb: installing the npm packages of package-lock.json (npm ci)"
    npm ci --no-audit --no-fund --loglevel=error || stop "npm ci failed: see its message above"
    echo "$wanted" >node_modules/.installed-from
  fi
  if ! node_modules/node/bin/node --version >/dev/null 2>&1; then
    echo "metallb: fetching the pinned Node 24 (npm rebuild node)"
    npm rebuild node --foreground-scripts --loglevel=error || stop "the npm package 'node' could not fetch Node 24"
  fi
  export PATH="$PWD/node_modules/.bin:$PATH"
}

# Debian packages for the commands that are missing: debian "command=package" ...
install_debian() {
  local pair missing=()
  for pair in "$@"; do
    PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%=*}" >/dev/null || missing+=("${pair##*=}")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  as_root || stop "these Debian packages are missing and only root can install them: ${missing[*]}"
  command -v apt-get >/dev/null || stop "these are missing and there is no apt-get here to install them: ${missing[*]}"
  echo "metallb: installing the Debian packages ${missing[*]} (apt-get)"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq || stop "apt-get update failed: see its message above"
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    stop "apt-get could not install ${missing[*]}: see its message above"
}

# kubectl is used where it is; Debian's kubernetes-client brings one where it is not.
install_kubectl() {
  command -v kubectl >/dev/null && return 0
  if as_root && command -v apt-get >/dev/null; then
    echo "metallb: kubectl is missing, installing the Debian package kubernetes-client (apt-get)"
    apt-get update -qq && apt-get install -y -qq --no-install-recommends kubernetes-client >/dev/null && return 0
  fi
  return 1
}
