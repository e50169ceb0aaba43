#include "tools/digits/write_model.h"

#include <cstring>

#include "model/builder.h"
#include "model/builder_ops.h"
#include "tools/digits/train.h"

namespace skiff::digits {
namespace {

namespace ops = model::ops;
using model::TensorSpec;

template <typename T>
std::vector<std::uint8_t> bytes_of(const std::vector<T>& values) {
    std::vector<std::uint8_t> bytes(values.size() * sizeof(T));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

class Writer {
 public:
    Writer(const Net& net, const std::vector<ActivationRange>& ranges)
        : net_(net), ranges_(ranges) {}

    Result<std::vector<std::uint8_t>> write(const ModelText& text) {
        const Size in = net_.input();
        shape_ = {1, in.height, in.width, in.channels * copies_};
        const int input = add_activation("image", 0);
        current_ = input;
        for (std::size_t i = 0; i < net_.layers().size(); ++i) add_layer(i);
        const int logits = current_;
        add_scores(logits);
        builder_.set_inputs({input});
        builder_.set_outputs({current_});
        builder_.add_signature({"serving_default", {{"image", input}}, {{"scores", current_}}});
        builder_.set_image_metadata(metadata(text));
        return builder_.write();
    }

 private:
    bool is_int8() const { return !ranges_.empty(); }

    // A tensor of shape_ that holds activation `index` of the net.
    int add_activation(const std::string& name, std::size_t index) {
        TensorSpec spec{name, DType::float32, shape_};
        if (is_int8()) {
            spec.dtype = DType::int8;
            spec.scales = {ranges_[index].scale};
            spec.zero_points = {ranges_[index].zero_point};
        }
        return builder_.add_tensor(spec);
    }

    void add_layer(std::size_t i) {
        const Layer& layer = net_.layers()[i];
        const std::string name = "layer" + std::to_string(i + 1);
        if (layer.kind == LayerKind::dense) flatten(name, i);
        int weights = 0, bias = 0;
        if (!layer.weights.empty()) {
            std::tie(weights, bias) = add_weights(layer, name, i);
            copies_ = 1;
        }
        const Size out = layer.out;
        if (layer.kind == LayerKind::dense)
            shape_ = {1, out.channels};
        else
            shape_ = {1, out.height, out.width, out.channels * copies_};
        const int from = current_;
        current_ = add_activation(name, i + 1);
        const auto activation = layer.relu ? ops::Activation::relu : ops::Activation::none;
        const ops::Conv2D conv{
            .stride_h = layer.stride, .stride_w = layer.stride, .activation = activation};
        const ops::Pool2D pool{layer.kernel, layer.kernel, layer.kernel, layer.kernel};
        switch (layer.kind) {
            case LayerKind::average_pool:
                builder_.add_operator(ops::average_pool_2d(from, current_, pool));
                break;
            case LayerKind::max_pool:
                builder_.add_operator(ops::max_pool_2d(from, current_, pool));
                break;
            case LayerKind::conv:
                builder_.add_operator(ops::conv_2d(from, weights, bias, current_, conv));
                break;
            case LayerKind::depthwise:
                builder_.add_operator(ops::depthwise_conv_2d(from, weights, bias, current_, conv));
                break;
            case LayerKind::dense:
                builder_.add_operator(
                    ops::fully_connected(from, weights, bias, current_, activation));
                break;
        }
    }

    // {weights, bias} of the layer behind activation `index`.
    std::pair<int, int> add_weights(const Layer& layer, const std::string& name,
                                    std::size_t index) {
        const FormatWeights format = format_weights(layer, copies_);
        TensorSpec weights{name + "/weights", DType::float32, format.shape};
        TensorSpec bias{name + "/bias", DType::float32, {layer.out.channels}};
        if (is_int8()) {
            const float input_scale = ranges_[index].scale;
            const QuantizedWeights q = quantize(format, layer.bias, input_scale);
            weights.dtype = DType::int8;
            weights.data = bytes_of(q.values);
            weights.scales = q.scales;
            weights.axis = format.channel_axis;
            bias.dtype = DType::int32;
            bias.data = bytes_of(q.bias);
            for (const float scale : q.scales) bias.scales.push_back(input_scale * scale);
            weights.zero_points = bias.zero_points = std::vector<std::int64_t>(q.scales.size());
        } else {
            weights.data = bytes_of(format.values);
            bias.data = bytes_of(layer.bias);
        }
        return {builder_.add_tensor(weights), builder_.add_tensor(bias)};
    }

    void flatten(const std::string& name, std::size_t index) {
        if (shape_.size() == 2) return;
        shape_ = {1, shape_[1] * shape_[2] * shape_[3]};
        const std::vector<std::int32_t> any_batch = {-1, shape_[1]};
        const int target = builder_.add_tensor(
            {name + "/flat_shape", DType::int32, {2}, {}, {}, {}, 0, bytes_of(any_batch)});
        const int from = current_;
        current_ = add_activation(name + "/flat", index);
        builder_.add_operator(ops::reshape(from, target, current_, any_batch));
    }

    // Probabilities. Their quantization is not calibrated: the format's SOFTMAX has 1/256 and -128,
    // always.
    void add_scores(int logits) {
        TensorSpec spec{"scores", DType::float32, shape_};
        if (is_int8()) {
            spec.dtype = DType::int8;
            spec.scales = {1.0f / 256};
            spec.zero_points = {-128};
        }
        current_ = builder_.add_tensor(spec);
        builder_.add_operator(ops::softmax(logits, current_));
    }

    static model::MetadataSpec metadata(const ModelText& text) {
        model::MetadataSpec spec;
        spec.name = text.name;
        spec.description = text.description;
        spec.mean = {pixel_mean};
        spec.std = {pixel_deviation};
        spec.output_labels = {
            {"digits.txt",
             {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}}};
        return spec;
    }

    const Net& net_;
    const std::vector<ActivationRange>& ranges_;
    model::Builder builder_;
    int copies_ =
        3;  // channels in the file for one of the net: 3 until the first weights have added them up
    int current_ = 0;                  // tensor that the next layer reads
    std::vector<std::int32_t> shape_;  // its shape
};

}  // namespace

Result<std::vector<std::uint8_t>> write_model(const Net& net, const ModelText& text,
                                              const std::vector<ActivationRange>& ranges) {
    return Writer(net, ranges).write(text);
}

}  // namespace skiff::digits
