#include "cli/remote/secret_input.h"

#include <termios.h>
#include <unistd.h>

#include <cstdio>

namespace skiff::cli {

namespace {

// No echo as long as it lives.
class Hidden {
 public:
    explicit Hidden(const char* prompt) {
        if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
        on_ = true;
        std::fputs(prompt, stderr);
        termios hidden = before_;
        hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    ~Hidden() {
        if (!on_) return;
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
        std::fputs("\n", stderr);
    }
    Hidden(const Hidden&) = delete;
    Hidden& operator=(const Hidden&) = delete;

 private:
    bool on_ = false;
    termios before_;
};

}  // namespace

Result<std::string> read_secret(const char* prompt) {
    const Hidden hidden(prompt);
    std::string line;
    for (char c; line.size() < 4096 && ::read(STDIN_FILENO, &c, 1) == 1 && c != '\n';) line += c;
    if (line.ends_with('\r')) line.pop_back();
    return line;
}

}  // namespace skiff::cli
