#!/usr/bin/env bash
# npm test: installs what the tests need, then runs every suite. With CI=true a skipped test is a failure.
source "$(dirname "$0")/setup.sh"
install_packages
if as_root; then
  install_debian ip=iproute2 nft=nftables arping=arping tcpdump=tcpdump unshare=util-linux nsenter=util-linux \
    ndisc6=ndisc6 curl=curl serf=serf \
    prometheus-alertmanager=prometheus-alertmanager vtysh=frr birdc=bird2 gobgpd=gobgpd bgpctl=openbgpd
  install_kubectl || [ -z "${CI:-}" ] || stop "kubectl is missing and Debian's kubernetes-client could not be installed"
else
  echo "metallb: not root: tests that need network namespaces will be skipped, and say so"
fi
node tools/run-tests.ts unit
node tools/build.ts >/dev/null # the lab spawns the bundle: it starts in a third of the time
node tools/run-tests.ts e2e
