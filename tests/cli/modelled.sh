# modelled: `crypto: modelled` changes no event's time, link, kind or size, so that its digest is
# that of real crypto, for every shipped scenario and every transport but mix, whose delays derive
# from secrets; with costs charged as well.
. "$(dirname "$0")/lib"

costs='{x25519: 40us, ed25519_sign: 30us, ed25519_verify: 90us, aead: 1us, aead_kib: 2us}'
digest_of() { # CRYPTO SCENARIO SET
    pl run "$2" --repeat 1 --set crypto="$1" --set "$3" --quiet --out "$1"
    grep -v -e 'transport=mix' -e ' all$' "$1/digest"
    rm -rf "$1"
}

for s in "$root"/scenarios/smoke/*.yaml "$root"/scenarios/*.yaml; do
    # and but for attacks on what modelled crypto does not compute
    case $(basename "$s") in mix.yaml | share_url_attacks.yaml) continue ;; esac
    for compute in compute=none "compute=$costs"; do
        [ "$compute" = compute=none ] && kind="without costs" || kind="with costs"
        it "${s#"$root"/}, $kind: modelled and real crypto have one digest"
        real=$(digest_of real "$s" "$compute")
        modelled=$(digest_of modelled "$s" "$compute")
        if [ -z "$real" ] && [ -z "$modelled" ]; then skip_case "it runs over mix alone"
        elif [ "$real" != "$modelled" ]; then wrong "real: $real; modelled: $modelled"; fi
    done
done

it "the table says that crypto is modelled"
pl run "$root/scenarios/smoke/ping.yaml" --set crypto=modelled --out t
exits 0
out_has "CRYPTO MODELLED"
