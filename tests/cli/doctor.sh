# doctor: what this machine lacks for each world.
. "$(dirname "$0")/lib"

it "has a line for every world, and ends well when none is named"
pl doctor
exits 0
err_empty
for world in sim ns3 local lab hosts; do must grep -q "^$world " out; done
out_has "sim    has all it needs"
out_has "local  has all it needs"

it "is content with a world that lacks nothing"
pl doctor sim local
exits 0
out_lacks "lacks"

it "11 if something is lacking for a world that is named, with what installs it"
mkdir bare
cp "$program" bare/partyline
bare/partyline doctor ns3 >out 2>err
code=$?
exits 11
out_has "apt-get install libns3-dev"

it "knows its worlds"
pl doctor moon
exits 2
err_has "there is no world moon"
