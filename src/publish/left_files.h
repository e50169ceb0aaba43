// What a process that was killed while it wrote leaves in a tree.
#pragma once

#include <string>
#include <string_view>

namespace skiff::publish {

// Whether write_file_durably() gives such names until a file is whole: "1.bin.tmp4711-0".
bool is_temporary_name(std::string_view name);

// Removes those in a folder that nobody has written to for an hour. Never an error: the next
// publication looks again.
void remove_left_files(const std::string& folder);

}  // namespace skiff::publish
