# share_url on the command line: its lies that nobody notices, its inputs, and that crypto: modelled
# changes nothing of its events.
. "$(dirname "$0")/lib"
file=$root/scenarios/share_url_malicious.yaml

it "a lie that no party can notice is a wrong result"
pl run "$file" --set protocol.server=within_range --quiet --out within
exits 20

it "an input that is no price range is refused at its line"
pl check "$root/scenarios/share_url_eve.yaml" --set protocol.program=equal
exits 10
err_has "one number"

it "a price below zero is refused"
sed 's/\[60, 1000\]/[-1, 1000]/' "$file" >bad.yaml
pl check bad.yaml
exits 10
err_has "whole number"

it "a host that belongs in no URL is refused"
pl check "$file" --set 'protocol.host=a/b'
exits 10
err_has "host: expected"

it "a virtual day is quick, and Eve is told from Bob"
pl run "$root/scenarios/share_url_eve.yaml" --quiet --out eve
exits 0
