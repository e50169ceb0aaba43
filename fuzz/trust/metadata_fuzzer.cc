// Metadata and key files from anyone: must be refused or read, never crash; what is read must keep
// its promises.
#include <cstdlib>
#include <string_view>

#include "base/hex.h"
#include "trust/signatures.h"
#include "trust/trusted_set.h"

namespace {

using namespace skiff;
using namespace skiff::trust;

void require(bool condition) {
    if (!condition) std::abort();
}

void check_envelope(const Envelope& file) {
    require(file.version >= 1 && !file.message.empty() && file.message.front() == '{');
}

// Glob patterns and signatures of whatever was read: any answer, in bounded time.
void use(const Targets& targets) {
    for (const Delegation& delegation : targets.delegations) {
        require(!is_top_level_role(delegation.name) && delegation.role.threshold >= 1);
        require(quote(delegation.name).find('/') == std::string::npos);
        for (const auto& [path, target] : targets.targets) (void)delegation.matches(path);
        require(count_signatures(targets, targets.keys, delegation.role) <=
                static_cast<std::int64_t>(targets.signatures.size()));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto root = parse_root(text, "file"); root.ok()) {
        check_envelope(*root);
        TrustedSet trusted(0);
        if (trusted.load_root(text).ok()) require(!trusted.update_root(text).ok());
    }
    if (const auto timestamp = parse_timestamp(text, "file"); timestamp.ok())
        check_envelope(*timestamp);
    if (const auto snapshot = parse_snapshot(text, "file"); snapshot.ok())
        check_envelope(*snapshot);
    if (const auto targets = parse_targets(text, "file"); targets.ok()) {
        check_envelope(*targets);
        use(*targets);
    }
    return 0;
}
