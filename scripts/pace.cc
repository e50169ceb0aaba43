// What the pace of a machine is measured with: see machine_pace in stages.sh.
#include <map>
#include <regex>
#include <string>

std::map<std::string, int> count_words(const std::string& text) {
    static const std::regex word("[a-z]+");
    std::map<std::string, int> counts;
    for (std::sregex_iterator at(text.begin(), text.end(), word), end; at != end; ++at)
        ++counts[at->str()];
    return counts;
}
