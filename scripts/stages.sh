# Runs stages with time budgets and adds up what passed. Sourced by dev and by
# tests/repo/stages_test.
#
# A stage is a command that appends lines "PASSED FAILED SKIPPED" to the file $SKIFF_COUNTS. The
# stage itself counts as one more check: it passed when its command exited 0 within its budget.
# shellcheck shell=bash

total_passed=0 total_failed=0 total_skipped=0

# add_counts PASSED FAILED SKIPPED
add_counts() {
    ((total_passed += $1, total_failed += $2, total_skipped += $3)) || true
}

# How much slower than the machine of the budgets this one is now, in percent, at least 100 and at most 1000: by the time of
# one compilation. Machines differ by a factor of five, and others may be at work on them.
machine_pace() {
    local start now pace
    start=$(date +%s%N)
    g++ -std=c++20 -O2 -c -o /dev/null scripts/pace.cc
    now=$(date +%s%N)
    pace=$(((now - start) / 20000000))
    ((pace >= 100)) || pace=100
    ((pace <= 1000)) || pace=1000
    echo "$pace"
}

# Seconds past the budget after which a stage is taken for hung and killed.
stage_grace_s=120

# stage NAME BUDGET_SECONDS LOG COMMAND...: 0 when it passed. The output goes to LOG, its end is
# shown on failure.
stage() {
    local name=$1 budget_s=$2 log=$3 counts status=0 start=$SECONDS elapsed_s verdict=ok p f s
    shift 3
    counts=$(mktemp)
    mkdir -p "$(dirname "$log")"
    printf '%-10s' "$name"
    # In the background, so that an interrupt reaches this script at once and not when the stage
    # ends.
    SKIFF_COUNTS=$counts timeout -k 10 $((budget_s + stage_grace_s)) "$@" >"$log" 2>&1 </dev/null &
    stage_pid=$!
    wait "$stage_pid" || status=$?
    stage_pid=
    elapsed_s=$((SECONDS - start))
    ((status == 0)) || verdict=FAILED
    ((elapsed_s <= budget_s)) || verdict="FAILED (over its budget)"
    printf ' %5d s of %5d s   %s' "$elapsed_s" "$budget_s" "$verdict"
    local cases_passed=0 cases_failed=0 cases_skipped=0
    while read -r p f s; do
        ((cases_passed += p, cases_failed += f, cases_skipped += s)) || true
    done <"$counts"
    rm -f "$counts"
    ((cases_passed + cases_failed + cases_skipped == 0)) ||
        printf ' (%d passed, %d failed, %d skipped)' \
            "$cases_passed" "$cases_failed" "$cases_skipped"
    echo
    grep -h '^skip:' "$log" | sort | uniq -c |
        sed -E 's/^ +([0-9]+) skip: (.*)/           \1 x skipped: \2/' || true
    add_counts "$cases_passed" "$cases_failed" "$cases_skipped"
    if [[ $verdict == ok ]]; then
        add_counts 1 0 0
        return 0
    fi
    add_counts 0 1 0
    echo "----- the end of $log"
    tail -n 60 "$log"
    echo "-----"
    return 1
}

stop_stage() {
    [[ -z ${stage_pid:-} ]] || kill "$stage_pid" 2>/dev/null || true
    exit 130
}

# count PASSED FAILED SKIPPED: what a stage's command calls.
count() {
    echo "$1 $2 $3" >>"${SKIFF_COUNTS:-/dev/null}"
}

# A message of gtest's report as it was written, without the source line in front.
unescape_xml() {
    sed 's/^[^ ]*:[0-9]*&#x0A;//; s/&#x0A;/ /g; s/&quot;/"/g; s/&amp;/\&/g' | sed "s/&apos;/'/g"
}

# count_gtest PROGRAM XML STATUS: adds the cases of one gtest program. A program that died, or ran
# nothing, is a failure. "skip: REASON" lines are for the stage's summary. With
# SKIFF_ORACLE_REQUIRED=1 a case skipped for want of an oracle fails.
count_gtest() {
    local program=$1 xml=$2 status=$3 tests=0 failures=0 skips=0 reason
    if [[ -s $xml ]]; then
        tests=$(sed -n 's/^<testsuites tests="\([0-9]*\)".*/\1/p' "$xml")
        failures=$(sed -n 's/^<testsuites .* failures="\([0-9]*\)".*/\1/p' "$xml")
        while read -r reason; do
            if [[ ${SKIFF_ORACLE_REQUIRED:-} == 1 && ${reason,,} =~ oracle|litert|tflite ]]; then
                echo "$program: skipped in CI for want of an oracle: $reason"
                ((++failures))
            else
                echo "skip: $reason"
                ((++skips))
            fi
        done < <(sed -n 's/.*<skipped message="\([^"]*\)".*/\1/p' "$xml" | unescape_xml)
    fi
    if ((status != 0 && failures == 0)); then
        echo "$program: exit status $status"
        ((++failures, ++tests))
    elif ((tests == 0)); then
        echo "$program: ran no test"
        ((++failures, ++tests))
    fi
    count $((tests - failures - skips)) "$failures" "$skips"
    ((failures == 0))
}

# Prints the closing line; 0 when nothing failed.
closing_line() {
    echo "$total_passed passed, $total_failed failed, $total_skipped skipped"
    ((total_failed == 0))
}
