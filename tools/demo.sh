#!/usr/bin/env bash
# npm run demo: installs what it needs, then shows the main job in an embedded cluster.
source "$(dirname "$0")/setup.sh"
install_packages
install_debian ip=iproute2 nft=nftables arping=arping unshare=util-linux nsenter=util-linux
install_kubectl || echo "metallb: no kubectl here and none to be had from Debian: the demo uses its own client"
node tools/build.ts >/dev/null # the lab spawns the bundle: it starts in a third of the time
exec node bin/metallbctl.js demo "$@"
