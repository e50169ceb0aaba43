// Where messages go: one sink, set by the program; nothing by default. Secrets never reach it.
#pragma once

#include <functional>
#include <string_view>

namespace skiff {

enum class LogLevel { debug, info, warning, error };
using LogSink = std::function<void(LogLevel, std::string_view)>;

// Any thread. The sink is called from whatever thread logs, one call at a time, and must not log.
void set_log_sink(LogSink sink);
void log(LogLevel level, std::string_view message);

}  // namespace skiff
