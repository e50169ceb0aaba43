// The real `skiff`, started and ended.
#pragma once

#include <string>
#include <vector>

namespace skiff::server::test {

struct Finished {
    int exit_code = -1;  // 128 + signal when it died
    std::string out, err;
};

std::string skiff_program();  // beside this test program
Finished run_skiff(const std::vector<std::string>& arguments);

// `skiff serve` on free ports; killed with the object.
class ServeProgram {
 public:
    explicit ServeProgram(const std::string& data, std::vector<std::string> more = {});
    ~ServeProgram();
    ServeProgram(const ServeProgram&) = delete;
    ServeProgram& operator=(const ServeProgram&) = delete;

    // Empty when it ended before it listened; then see error_output().
    const std::string& address() const { return address_; }
    const std::string& admin_address() const { return admin_address_; }
    int end(int signal);  // the exit status, as in Finished
    std::string error_output() const;

 private:
    std::string read_line();
    int pid_ = 0, out_ = -1;
    std::string err_file_, address_, admin_address_;
};

}  // namespace skiff::server::test
