#include "base/url.h"

namespace skiff {

std::string display_url(std::string_view url) {
    const std::size_t scheme = url.find("://");
    const std::size_t host = scheme == url.npos ? 0 : scheme + 3;
    std::string_view rest = url.substr(host);
    // A password that nobody escaped may hold any of these signs: the part before "@" goes first.
    const std::size_t path = rest.find('/');
    if (const std::size_t at = rest.substr(0, path).rfind('@'); at != rest.npos)
        rest.remove_prefix(at + 1);
    return std::string(url.substr(0, host)) + std::string(rest.substr(0, rest.find_first_of("?#")));
}

}  // namespace skiff
