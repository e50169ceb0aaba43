// A project and a real `skiff serve`, for what crosses the wire.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/cli/program.h"

namespace skiff::cli::test {

// In scratch_folder()/<name of the test>: demo/ (the project), data/ (the server's), logged in as
// the context demo.
class Served : public testing::Test {
 protected:
    void SetUp() override;

    Finished skiff(const std::vector<std::string>& arguments) const;
    Finished in_demo(std::vector<std::string> arguments) const;  // with -C demo
    // To the server, with what comes beside it.
    std::vector<std::string> publish(const std::string& model, const std::string& file) const;
    std::string file(const std::string& name, const std::string& bytes) const;
    void serve();  // again, at another address if the old one is taken
    // Everything that is published there is signed and whole; its models' versions.
    std::size_t verified_versions(const std::string& model) const;
    std::string data() const { return folder_ + "/data"; }
    std::map<std::string, std::string> environment() const;

    std::string folder_, demo_, address_, token_;
    std::unique_ptr<Running> server_;
};

// Between a client and a server on this machine. It stops reading for a while after the first so
// many bytes of each connection.
class SlowLine {
 public:
    SlowLine(const std::string& to, std::size_t after_bytes, int pause_ms);
    ~SlowLine();
    SlowLine(const SlowLine&) = delete;
    SlowLine& operator=(const SlowLine&) = delete;
    std::string address() const { return address_; }

 private:
    struct State;
    std::unique_ptr<State> state_;
    std::string address_;
};

}  // namespace skiff::cli::test
