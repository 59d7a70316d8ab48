#!/bin/sh
# Installs what building (`build`) or testing (`check`) needs and is missing, or (`ns3`) the world
# ns3, or (`lab`) the worlds lab and hosts, or (`bench`) counting instructions, or (`cross`) building and running for aarch64. Debian 12.
set -eu
build="gcc make pkg-config libc6-dev libsodium-dev libyaml-dev libjansson-dev libxxhash-dev zlib1g-dev libsqlite3-dev libre-dev libuv1-dev libpcap-dev libmicrohttpd-dev libcurl4-openssl-dev gnuplot-nox"
lab="iproute2 nftables coturn netcat-openbsd openssh-server openssh-client ansible-core ansible-lint tcpdump"
check="$build $lab git clang libclang-rt-14-dev clang-format lld libcmocka-dev nodejs npm curl locales-all chromium tshark zsh fish groff-base coturn"
ns3="g++ pkg-config libns3-dev libgsl-dev" # libns3-dev forgets the last one
bench="valgrind"
cross="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user"
for p in $build; do
    case "$p" in lib*-dev | zlib1g-dev) [ "$p" = libc6-dev ] || cross="$cross $p:arm64" ;; esac
done
case "${1:-build}" in
build) want=$build ;;
check) want=$check ;;
lab) want=$lab ;;
ns3) want=$ns3 ;;
bench) want=$bench ;;
cross) want=$cross ;;
*) echo "usage: deps.sh build|check|lab|ns3|cross|bench" >&2; exit 2 ;;
esac

have() {
    case "$1" in
    nodejs) command -v node >/dev/null && return 0 ;;
    npm) command -v npm >/dev/null && return 0 ;;
    esac
    dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "This is not Debian: please install these (by their Debian names) yourself: $want" >&2
    for lib in libsodium yaml-0.1 jansson libxxhash zlib sqlite3 libre libuv libpcap libmicrohttpd libcurl; do
        pkg-config --exists $lib || exit 11
    done
    exit 0
fi
missing=
for p in $want; do
    have "$p" || missing="$missing $p"
done
[ -z "$missing" ] && exit 0

echo "Partyline needs these Debian packages, which are missing here:$missing"
as_root=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "Neither root nor sudo: please run  apt-get install$missing  as root." >&2
        exit 11
    fi
    as_root=sudo
fi
echo "Installing them with: ${as_root:+sudo }apt-get install -y --no-install-recommends$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# Servers that come along (sshd, coturn) are for the tests to start: not for the machine.
policy=/usr/sbin/policy-rc.d
trap 'rm -f "$log"; [ -z "$kept_quiet" ] || $as_root rm -f $policy' EXIT
kept_quiet=
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null && $as_root chmod 755 $policy && kept_quiet=yes
fi
[ "${1:-build}" != cross ] || $as_root dpkg --add-architecture arm64
install() { $as_root apt-get install -y -q --no-install-recommends $missing >"$log" 2>&1; }
if ! { $as_root apt-get update -q >"$log" 2>&1 && install; } && ! install; then
    tail -n 20 "$log" >&2
    echo "apt-get failed; see above." >&2
    exit 11
fi
