// Constants in a sparse encoding: a tree with one level per dimension (blocks add levels of their
// own), each level dense or compressed (CSR: segments and indices); the data are the leaves, in the
// order of the tree.
#pragma once

#include <vector>

#include "model/errors.h"
#include "model/model.h"

namespace skiff::model {

// The encoding fits the shape and the data, so that densify() stays within both. Returns how many
// indices it has.
Result<std::size_t> check_sparsity(const Tensor& tensor, const Place& place);

// The dense bytes of a loaded model's sparse constant. Code::resource_exhausted above 1 GB, which
// only a file made to harm would ask for.
Result<std::vector<std::uint8_t>> densify(const Tensor& tensor);

}  // namespace skiff::model
