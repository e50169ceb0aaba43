// Files below a URL, over libcurl.
#pragma once

#include <memory>
#include <string>

#include "trust/store.h"

namespace skiff::trust {

class CurlFetcher final : public Fetcher {
 public:
    explicit CurlFetcher(std::string base_url);  // with or without the final slash
    ~CurlFetcher() override;
    Result<Fetched> get(const std::string& path, std::uint64_t max_bytes,
                        const std::string& etag) override;

 private:
    struct Handle;
    std::string base_url_;
    std::unique_ptr<Handle> handle_;
};

}  // namespace skiff::trust
