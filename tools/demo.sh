#!/bin/sh
# The flagship: five people on three continents find out who is richest.
set -eu
cd "$(dirname "$0")/.."
scenario=scenarios/millionaires.yaml
echo
echo "Five parties in five regions compute who is richest, and learn nothing else."
echo "The same protocol runs over every transport; this is what each costs:"
echo
./partyline run $scenario
dir=$(./partyline run $scenario --dry-run | sed -n 's/.* trials in world .* into //p')
report=$(./partyline report "$dir")
echo
echo "The report, with plots: $(pwd)/$report"
echo
echo "Next:  ./partyline show scenarios/millionaires.yaml     the experiment, every default"
echo "       ./partyline list                                 what there is"
echo "       ./partyline run scenarios/auction.yaml           another one"
