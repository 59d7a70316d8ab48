# list and show.
. "$(dirname "$0")/lib"

kinds="transports protocols observers worlds metrics counts drops circuits scenarios"
it "list names every kind"
pl list
exits 0
err_empty
for kind in $kinds; do out_has "$kind:"; done

it "list --json holds every kind"
pl list --json
exits 0
json out "$(printf 'x.%s.length > 0 && ' $kinds) true"

for kind in $kinds; do
    it "list $kind, as text and as JSON"
    pl list $kind
    exits 0
    err_empty
    cp out text
    pl list $kind --json
    exits 0
    err_empty
    json out 'x.length > 0 && x.every((e) => e.name !== "" && e.help !== "")'
    node -pe 'JSON.parse(require("fs").readFileSync("out", "utf8")).map((e) => e.name).join("\n")' >names
    while read -r name; do grep -qF -- "$name" text || wrong "the text has no $name"; done <names
done

it "list has the plugins that there are"
pl list --json
json out '["direct", "null"].every((n) => x.transports.some((t) => t.name === n))'
json out '["shamir", "ping", "idle"].every((n) => x.protocols.some((t) => t.name === n))'
json out 'x.worlds.some((w) => w.name === "sim" && w.deterministic)'
json out 'x.protocols.find((p) => p.name === "shamir").options.some((o) => o.name === "threshold")'

it "list scenarios finds the program's own, from any folder, and all are valid"
pl list scenarios
out_has millionaires.yaml
out_lacks "invalid"

it "list --schema is a JSON Schema that knows the keys"
pl list --schema
exits 0
err_empty
json out 'x.type === "object" && ["schema", "name", "parties", "transport", "protocol"].every((k) => x.required.includes(k)) && "matrix" in x.properties && x.additionalProperties === false'

it "list --markdown is a table"
pl list --markdown
exits 0
err_empty
out_has "parties"
out_has "|"

it "show prints every default and every cell"
pl show sum.yaml
exits 0
err_empty
for text in threshold limit transport dial seed; do out_has "$text"; done
cp out first
pl show sum.yaml
must cmp out first

it "show --json is JSON with sorted keys, twice the same"
pl show sum.yaml --json
exits 0
err_empty
json out 'x.cells.length === 4'
cp out first
pl show sum.yaml --json
must cmp out first

it "show resolves --set, --seed and --repeat"
pl show sum.yaml --json --set parties.alice.input=11 --seed 99 --repeat 7
exits 0
out_has 99
out_has 11
must_not cmp out first

it "show in another locale is the same"
LC_ALL=tr_TR.UTF-8 pl show sum.yaml --json
pl show sum.yaml --json
must cmp out first

