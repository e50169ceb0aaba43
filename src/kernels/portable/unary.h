// An operator from one tensor to another of its shape and element type, element by element: float32
// by arithmetic, stored bytes by a table.
#pragma once

#include "kernels/portable/byte_table.h"
#include "kernels/portable/elementwise.h"

namespace skiff::kernels {

class UnaryKernel : public Kernel {
 public:
    Status prepare(PrepareContext& context) final;
    Status invoke(InvokeContext& context) final;

 private:
    // Fills the table for these quantizations, which are there and legal, or says what is wrong
    // with them.
    virtual Status fill(ByteTable& table, const Tensor& input, const Tensor& output) const = 0;
    virtual void run_float(InvokeContext& context) const = 0;

    ByteTable table_;
};

}  // namespace skiff::kernels
