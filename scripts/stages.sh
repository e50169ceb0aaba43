# Runs stages with time budgets and adds up what passed. Sourced by dev and by
# tests/repo/stages_test.
#
# A stage is a command that appends lines "PASSED FAILED SKIPPED" to the file $SKIFF_COUNTS. The
# stage itself counts as one more check: it passed when its command exited 0 and took no more than twice its budget.
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

# What machine_pace last said; 100 as long as nobody asked.
pace=100

# A budget is what the stage's work takes, measured with nothing cached. A stage that takes more shows where the time went;
# one that takes twice as much, and these seconds, fails: neighbours on the machine do not explain that.
stage_slack_s=30
# After so many more it is taken for hung and killed.
stage_grace_s=120

# part WHAT COMMAND...: one part of a stage; a stage that fails or takes too long shows what its parts took.
part() {
    local what=$1 status=0
    shift
    echo "begin $(date +%s) $what" >>"${SKIFF_PARTS:-/dev/null}"
    "$@" || status=$?
    echo "end $(date +%s) $what" >>"${SKIFF_PARTS:-/dev/null}"
    return "$status"
}

# The parts in FILE that took longest, and whatever did not end. Parts may run beside each other.
show_parts() {
    awk -v now="$(date +%s)" '
        $1 == "begin" { at = $2; $1 = $2 = ""; began[$0] = at }
        $1 == "end" { at = $2; $1 = $2 = ""; printf "%6d s %s\n", at - began[$0], $0; delete began[$0] }
        END { for (part in began) printf "%6d s %s (did not end)\n", now - began[part], part }' "$1" |
        sort -rn | head -n 10
}

# stage NAME BUDGET_SECONDS LOG COMMAND...: 0 when it passed. The budget grows with this machine's pace; the command finds
# its seconds in SKIFF_STAGE_S. The output goes to LOG, its end is shown on failure.
stage() {
    local name=$1 budget_s=$2 log=$3 counts parts status=0 start=$SECONDS limit_s elapsed_s verdict=ok p f s
    shift 3
    limit_s=$((budget_s * pace / 100))
    counts=$(mktemp) parts=$(mktemp)
    mkdir -p "$(dirname "$log")"
    printf '%-10s' "$name"
    # In the background, so that an interrupt reaches this script at once and not when the stage
    # ends.
    SKIFF_COUNTS=$counts SKIFF_PARTS=$parts SKIFF_STAGE_S=$limit_s \
        timeout -k 10 $((2 * limit_s + stage_slack_s + stage_grace_s)) "$@" >"$log" 2>&1 </dev/null &
    stage_pid=$!
    wait "$stage_pid" || status=$?
    stage_pid=
    elapsed_s=$((SECONDS - start))
    if ((elapsed_s > limit_s)); then
        # The machine may have become slower since it was last asked.
        p=$(machine_pace)
        ((p <= pace)) || pace=$p
        limit_s=$((budget_s * pace / 100))
    fi
    ((status == 0)) || verdict=FAILED
    ((elapsed_s <= 2 * limit_s + stage_slack_s)) || verdict="FAILED (over twice its budget)"
    printf ' %5d s of %5d s   %s' "$elapsed_s" "$limit_s" "$verdict"
    local cases_passed=0 cases_failed=0 cases_skipped=0
    while read -r p f s; do
        ((cases_passed += p, cases_failed += f, cases_skipped += s)) || true
    done <"$counts"
    ((cases_passed + cases_failed + cases_skipped == 0)) ||
        printf ' (%d passed, %d failed, %d skipped)' \
            "$cases_passed" "$cases_failed" "$cases_skipped"
    echo
    grep -h '^skip:' "$log" | sort | uniq -c |
        sed -E 's/^ +([0-9]+) skip: (.*)/           \1 x skipped: \2/' || true
    add_counts "$cases_passed" "$cases_failed" "$cases_skipped"
    [[ $verdict == ok ]] && add_counts 1 0 0 || add_counts 0 1 0
    ((elapsed_s <= limit_s)) || show_parts "$parts"
    if [[ $verdict != ok ]]; then
        echo "----- the end of $log"
        tail -n 60 "$log"
        echo "-----"
    fi
    rm -f "$counts" "$parts"
    [[ $verdict == ok ]]
}

# seconds_for STAGE: its budget (budget_s[STAGE]); with SKIFF_UNTIL (a time as `date +%s` gives it) no more than is left
# until then.
# Nothing when that is too little; a stage in `elastic` takes a sample as large as the time allows.
seconds_for() {
    local wanted_s=${budget_s[$1]} left_s
    if [[ -n ${SKIFF_UNTIL:-} ]]; then
        left_s=$(((SKIFF_UNTIL - $(date +%s)) * 100 / pace))
        if [[ -n ${elastic[$1]:-} ]] && ((left_s < wanted_s && left_s >= 120)); then wanted_s=$left_s; fi
        ((left_s >= wanted_s)) || return 0
    fi
    echo "$wanted_s"
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
