#pragma once

namespace skiff::runtime {

// What a publisher can ask for with --min-runtime. Goes up by one whenever models run that an older
// library refuses.
//   1: the 20 operators of the first release
inline constexpr int runtime_level = 1;

}  // namespace skiff::runtime
