// One property of one service on the system bus. libsystemd is opened at run time: a system without
// it, or without a bus, has no answer.
#pragma once

#include <cstdint>
#include <optional>

namespace skiff::host {

std::optional<bool> dbus_boolean(const char* service, const char* path, const char* interface,
                                 const char* property);
std::optional<std::uint32_t> dbus_unsigned(const char* service, const char* path,
                                           const char* interface, const char* property);

}  // namespace skiff::host
