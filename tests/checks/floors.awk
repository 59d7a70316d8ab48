# Which floor of the house a file is on (DESIGN.md). For `awk -f floors.awk -f ...`.

function folder(path) { sub(/\/?[^\/]*$/, "", path); return path }

# 0 to 6, or -1 for a place that is no part of the house.
function floor_of(path) {
    if (path == "version.h") return 5 # generated
    if (path ~ /^engine\/(node|node_make|party|crowd)\.[ch]$/) return 4
    if (path ~ /^engine\/plugins\.[ch]$/) return 5
    if (path == "engine/main.c") return 6
    if (path ~ /^engine\/[a-z0-9_]+\.h$/ || path ~ /^engine\/(metrics|privacy|sights|sights_found|sights_greedy)\.c$/) return 1
    if (path ~ /^engine\/base\/[^\/]+$/) return 0
    if (path ~ /^engine\/crypto\/[^\/]+$/) return 2
    if (path ~ /^(engine\/(channel|observers|protocols)|transports)\/[^\/]+$/) return 3
    if (path ~ /^engine\/protocols\/[^\/]+\/[^\/]+$/) return 3
    if (path ~ /^engine\/worlds\/[^\/]+\/(gateways\/)?[^\/]+$/) return 4
    if (path ~ /^engine\/run\/[^\/]+$/) return 5
    if (path ~ /^engine\/cmd\/[^\/]+$/) return 6
    if (path ~ /^analysis\/[^\/]+$/) return 6
    return -1
}
