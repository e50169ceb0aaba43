#include "model/model.h"

#include <cstring>

#include "base/files.h"
#include "model/reader.h"

namespace skiff::model {

struct Model::Impl {
    std::string label;
    std::unique_ptr<MappedFile> map;            // of load_file
    std::unique_ptr<std::uint64_t[]> own_copy;  // of load_memory, for bytes at an odd address
    Bytes bytes;
    Contents contents;
};

Model::Model(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Model::~Model() = default;

namespace {

Result<Contents> read_contents(Bytes bytes, const std::string& label) {
    Result<Contents> contents = Reader(bytes).read();
    if (!contents.ok()) return with_context(contents.take_error(), label);
    return contents;
}

}  // namespace

Result<std::shared_ptr<const Model>> Model::load_file(const std::string& path) {
    auto impl = std::make_unique<Impl>();
    impl->label = path;
    impl->map = TRY(MappedFile::open(path));
    impl->bytes = impl->map->bytes();
    impl->contents = TRY(read_contents(impl->bytes, impl->label));
    return std::shared_ptr<const Model>(new Model(std::move(impl)));
}

Result<std::shared_ptr<const Model>> Model::load_memory(Bytes bytes, std::string label) {
    auto impl = std::make_unique<Impl>();
    impl->label = std::move(label);
    impl->bytes = bytes;
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % sizeof(std::uint64_t) != 0) {
        impl->own_copy.reset(new std::uint64_t[bytes.size() / sizeof(std::uint64_t) + 1]);
        std::memcpy(impl->own_copy.get(), bytes.data(), bytes.size());
        impl->bytes = {reinterpret_cast<const std::uint8_t*>(impl->own_copy.get()), bytes.size()};
    }
    impl->contents = TRY(read_contents(impl->bytes, impl->label));
    return std::shared_ptr<const Model>(new Model(std::move(impl)));
}

Bytes Model::bytes() const {
    return impl_->bytes;
}
std::string_view Model::description() const {
    return impl_->contents.description;
}
std::span<const Subgraph> Model::subgraphs() const {
    return impl_->contents.subgraphs;
}
std::span<const Signature> Model::signatures() const {
    return impl_->contents.signatures;
}
std::span<const MetadataEntry> Model::metadata() const {
    return impl_->contents.metadata;
}
const std::string& Model::label() const {
    return impl_->label;
}

}  // namespace skiff::model
